-- Messages to and from other services: outbox, inbox, and what a person may have to look at.

create schema if not exists pawl;

create table pawl.outbox (
  position bigint generated always as identity primary key,
  id uuid not null unique,
  destination text not null,
  partition integer not null check (partition >= 0),
  key text not null,
  type text not null,
  version integer not null,
  payload jsonb not null,
  traceparent text,
  -- Where its number closes relative to its handler: after it or before it. Null: in its transaction, exactly once.
  guarantee text check (guarantee in ('at-least-once', 'at-most-once')),
  -- Messages of its key are handled in order, and what a dead letter does to those behind it. Null: order is not promised.
  key_order text check (key_order in ('hold', 'pass')),
  created_at timestamptz not null default clock_timestamp(),
  -- Dense from 0 within (destination, partition, incarnation), given by the relay and committed before anything is published;
  -- once committed it never changes. Null: still to be numbered.
  sequence bigint check (sequence >= 0),
  -- The number before it of the same key, given with its own. Null: the receiver had acknowledged all of them by then.
  previous bigint check (previous < sequence),
  -- Waits for its reader, who pulls the feed, and is never published: next_publish_at stays null.
  pulled boolean not null default false,
  -- The payload stays here until its reader fetches it, and its digest travels (claim-check). Null: it travels itself.
  claim_digest text,
  claim_bytes integer,
  -- Somebody decided that it shall not take effect: no copy is published any more, its receiver is asked whether one did.
  waived_at timestamptz,
  waived_by text,
  waived_reason text,
  -- Kept for the restore window, if one is declared: a receiver that was set back gets it again.
  acknowledged_at timestamptz,
  -- How often the row was handed to the transport.
  transmissions integer not null default 0,
  next_publish_at timestamptz
) with (
  -- A row lives for a second: inserted, updated once, deleted. Frequent cheap vacuums keep the table at its working size.
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_insert_scale_factor = 0.2,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.outbox is 'One row per message that its receiver has not acknowledged: published is not delivered.';
create index outbox_unnumbered on pawl.outbox (destination, partition, position) where sequence is null;
create unique index outbox_numbered on pawl.outbox (destination, partition, sequence) where sequence is not null;
create index outbox_ordered on pawl.outbox (destination, partition, key, sequence)
  where key_order is not null and sequence is not null;
create index outbox_due on pawl.outbox (next_publish_at) where sequence is not null;
create index outbox_acknowledged on pawl.outbox (acknowledged_at) where acknowledged_at is not null;

create table pawl.outbox_stream (
  destination text not null,
  partition integer not null,
  -- A UUIDv7 of the sending side. Numbers mean something only together with it.
  incarnation uuid not null,
  next_sequence bigint not null default 0,
  -- Numbers given and not acknowledged: what the send window bounds.
  unacknowledged integer not null default 0 check (unacknowledged >= 0),
  -- Every number below this one is acknowledged.
  acknowledged bigint not null default 0,
  -- One more than the highest acknowledged number: what is unacknowledged below it was overtaken.
  acknowledged_end bigint not null default 0,
  -- When the last acknowledgement covered something, or the window last was empty.
  progressed_at timestamptz not null default clock_timestamp(),
  -- On which state of the database the incarnation began: on another one, or none yet, a new incarnation begins.
  storage text not null default '',
  -- When the receiver answered for this incarnation; only then are numbers given.
  opened_at timestamptz,
  -- Of the question that is out: an answer to another one opens nothing.
  nonce uuid,
  asked integer not null default 0,
  next_ask_at timestamptz not null default clock_timestamp(),
  -- Until the session is open: whose numbers the messages still carry, and how many it gave.
  previous_incarnation uuid,
  previous_next_sequence bigint,
  -- The incarnation of the receiving side that the session is open with.
  receiver_incarnation uuid,
  ignored_acknowledgements bigint not null default 0,
  primary key (destination, partition)
) with (
  -- One row per partition, updated with each batch: room on the page keeps that HOT, vacuum keeps the page small.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 200,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.outbox_stream is 'One row per outgoing partition: its lock orders the relays, its counters are the send window.';

-- Differs after a restart, a fail-over and a restore, for each of them starts another server, makes another database or writes
-- another file. It says nothing about a virtual machine that was set back while it ran.
create function pawl.storage_state() returns text language sql stable
return extract(epoch from pg_postmaster_start_time())::text || '/'
  || (select oid from pg_database where datname = current_database())::text || '/'
  || pg_relation_filenode('pawl.outbox_stream')::text;

create table pawl.incarnation (
  id uuid primary key,
  side text not null check (side in ('sender', 'receiver')),
  stream text not null,
  partition integer not null,
  -- Of the side that began it, and the one it follows.
  incarnation uuid not null,
  previous uuid,
  reason text not null,
  began_at timestamptz not null default clock_timestamp()
);
comment on table pawl.incarnation is 'Incarnations that began after the first one, and why: restarts of the server, restores, commands. The newest 1,000.';

create table pawl.inbox_stream (
  stream text not null,
  partition integer not null check (partition >= 0),
  -- The sending side's.
  incarnation uuid not null,
  -- This side's: a UUIDv7 made when the row was made.
  receiver_incarnation uuid not null,
  -- The numbers whose message is stored (handled, parked or dead letter). Without gaps it is one range.
  closed int8multirange not null default '{}',
  -- Of these, the numbers that a settlement closed: nobody handled them. Forgotten when the sender has its answer.
  settled int8multirange not null default '{}',
  -- A newer incarnation has opened a session: copies of this one are refused, and what is closed is final.
  superseded_at timestamptz,
  -- Messages may come that took effect under an older incarnation: while their ids are kept, they are compared.
  compares boolean not null default false,
  -- The lowest number that is missing while later ones are closed, since when that was seen, and when it was last asked
  -- for elsewhere; the first time it is reported too.
  gap_at bigint,
  gap_since timestamptz,
  gap_fetched_at timestamptz,
  duplicates bigint not null default 0,
  refused bigint not null default 0,
  first_seen_at timestamptz not null default clock_timestamp(),
  primary key (stream, partition, incarnation)
) with (
  -- One row per partition, updated with each batch: room on the page keeps that HOT, vacuum keeps the page small.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 200,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.inbox_stream is 'One row per incoming partition and incarnation: check and mark happen under its lock.';

create table pawl.inbox_recent (
  stream text not null,
  partition integer not null,
  incarnation uuid not null,
  closed_at timestamptz not null default clock_timestamp(),
  -- Of the messages of one batch.
  ids uuid[] not null
) with (
  -- Appended to and pruned from the other end.
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.inbox_recent is 'Ids of the messages of the declared restore window, for a sender that was set back. Empty when none is declared.';
create index inbox_recent_closed on pawl.inbox_recent (closed_at);
create index inbox_recent_stream on pawl.inbox_recent (stream, partition, closed_at);

create table pawl.inbox_attempt (
  stream text not null,
  partition integer not null,
  incarnation uuid not null,
  sequence bigint not null,
  message_id uuid not null,
  attempts integer not null,
  errors jsonb not null default '[]',
  updated_at timestamptz not null default clock_timestamp(),
  primary key (stream, partition, incarnation, sequence)
) with (
  -- Empty when all is well; vacuumed early so that it is also small again.
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 200
);
comment on table pawl.inbox_attempt is 'Messages that failed or may have: their attempts and errors, until the number closes.';

create table pawl.feed_reader (
  stream text not null,
  partition integer not null,
  -- The process of this service that pulls it, until when. A lease that nothing depends on but that only one does.
  reader uuid not null,
  reads_until timestamptz not null,
  primary key (stream, partition)
) with (
  -- One row per partition, updated with each page.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 200
);
comment on table pawl.feed_reader is 'Which process pulls which partition of another service''s feed.';

create table pawl.dead_letter (
  id uuid primary key,
  origin text not null check (origin in ('message', 'event')),
  stream text,
  message_id text,
  workflow text,
  run_key text,
  type text not null,
  version integer not null,
  payload jsonb,
  -- What the message's envelope said beside its payload: a redrive hands its consumers the same message again.
  envelope jsonb,
  -- Of a message whose route holds a key behind its dead letter: later messages of that key wait until this row is resolved.
  held_key text generated always as (case envelope ->> 'keyorder' when 'hold' then envelope ->> 'subject' end) stored,
  -- Who delivered the event: a redrive delivers it again under the same source and id.
  source text,
  reason text not null,
  rule text,
  -- The first and the newest of them, at most 100.
  errors jsonb not null default '[]',
  created_at timestamptz not null default clock_timestamp(),
  -- What a person has asked for, and who, why and when; a duty of the service carries it out, for only it has the handlers.
  requested text check (requested in ('redrive', 'waive')),
  requested_at timestamptz,
  actor text,
  actor_reason text,
  -- How often a request was begun: the fencing token of whoever carries it out.
  tries integer not null default 0,
  -- How often the present request may still be begun: one that ends its process is not begun for ever.
  tries_left integer not null default 0,
  -- Until then somebody is at it.
  claimed_until timestamptz,
  resolved_at timestamptz,
  resolution text check (resolution in ('redriven', 'waived', 'decided'))
) with (
  -- Large rows, each updated a few times: room on the page keeps that HOT.
  fillfactor = 80
);
comment on table pawl.dead_letter is 'Messages and events that no policy will try again: a person redrives or waives them.';
create index dead_letter_open on pawl.dead_letter (created_at, id) where resolved_at is null;
create index dead_letter_requested on pawl.dead_letter (requested_at) where requested is not null;
create index dead_letter_holding on pawl.dead_letter (stream, held_key) where resolved_at is null and held_key is not null;
create index dead_letter_run on pawl.dead_letter (workflow, run_key) where run_key is not null;

create table pawl.held_message (
  -- The order in which they were taken in, which is that of their key.
  position bigint generated always as identity primary key,
  stream text not null,
  key text not null,
  -- As it arrived, payload included: its number is closed, so nobody sends it again.
  envelope jsonb not null,
  -- What a pass asks of each row that waits, so that it need not take the envelope apart: 'orders.placed', 'orders.placed@2'.
  type text not null generated always as (envelope ->> 'type') stored,
  type_version text not null generated always as ((envelope ->> 'type') || '@' || (envelope ->> 'dataversion')) stored,
  -- Whether its route keeps the order of its key: then it waits for all before it.
  ordered boolean not null generated always as (envelope ->> 'keyorder' is not null) stored,
  -- Counted before each try, so that a message that ends its process is not tried for ever.
  attempts integer not null default 0,
  errors jsonb not null default '[]',
  -- Not tried before then.
  due_at timestamptz not null default clock_timestamp(),
  held_at timestamptz not null default clock_timestamp()
) with (
  -- Empty when all is well; vacuumed early so that it is also small again.
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 200
);
comment on table pawl.held_message is 'Messages that wait: for the dead letter before them, of the same key, or for a process that has their type and version.';
create index held_message_key on pawl.held_message (stream, key, position);
-- A pass reads the rows that its process has a handler for, and those that have waited too long, and none of the others.
create index held_message_type on pawl.held_message (type);
create index held_message_type_version on pawl.held_message (type_version);
create index held_message_age on pawl.held_message (held_at);

create table pawl.loss (
  id uuid primary key,
  origin text not null check (origin in ('message', 'event')),
  workflow text,
  run_key text,
  type text not null,
  subject text not null default '',
  payload jsonb,
  reason text not null,
  -- What is known of it beyond the reason: an error, or who has waived it and why.
  detail text,
  message_id text,
  -- At most once: written with the mark, before the handler runs, and taken out when it has ended well. Until then it may be at work.
  under_way_until timestamptz,
  created_at timestamptz not null default clock_timestamp()
) with (
  -- Messages of at-most-once routes have a row here while they are handled: vacuumed early, it stays as small as the ledger is.
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500
);
comment on table pawl.loss is 'The loss ledger: effects that may not have happened, by reason.';
create index loss_listed on pawl.loss (created_at, id);
create index loss_run on pawl.loss (workflow, run_key) where run_key is not null;
