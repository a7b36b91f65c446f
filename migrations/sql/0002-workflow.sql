-- Runs of workflows, their steps, journal, parked events and timers.

create schema if not exists pawl;

create table pawl.definition (
  workflow text not null,
  version integer not null,
  fingerprint text not null,
  graph jsonb not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  primary key (workflow, version)
);
comment on table pawl.definition is 'One row per workflow version: a changed definition under an unchanged version refuses to boot.';

create table pawl.run (
  id uuid primary key,
  workflow text not null,
  key text not null,
  version integer,
  status text not null check (status in ('awaited', 'running', 'waiting', 'completed', 'failed')),
  state text,
  round integer not null default 0,
  data jsonb not null default '{}',
  marks jsonb not null default '{}',
  -- The number of journal entries: every event, timer or transition adds one. Steps that stay in their state do not.
  revision bigint not null default 0,
  parked_count integer not null default 0,
  attention text,
  -- Raised by each claim and checked by each write of a step.
  fencing_token bigint not null default 0,
  -- Claims since the last progress: a step that kills its process is found by it.
  claims integer not null default 0,
  lease_until timestamptz,
  -- When the run next needs a worker; while it is claimed, the end of its lease. Null: not until an event or a timer.
  due_at timestamptz,
  -- Names hints, so that none is swallowed by an older one of the same name.
  dispatch bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  unique (workflow, key)
) with (
  -- Steps update the row several times in a run's life and touch no indexed column: room on the page keeps that HOT.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.run is 'One row per durable execution of a workflow.';
create index run_due on pawl.run (due_at) where due_at is not null;
create index run_listed on pawl.run (workflow, status, id);

create table pawl.step (
  run_id uuid not null references pawl.run (id) on delete cascade,
  round integer not null,
  name text not null,
  -- -1 for a step that runs once, else the item it runs for.
  item bigint not null default -1,
  generation integer not null default 0,
  status text not null check (status in ('intent', 'retrying', 'done', 'failed')),
  effect text not null check (effect in ('transactional', 'external')),
  attempts integer not null,
  -- Names the attempt that wrote last: what a lost COMMIT reply is resolved by.
  attempt_id uuid not null,
  idempotency_key text not null,
  fencing_token bigint not null,
  -- When the first attempt was recorded, for ever: ids that carry a time (`request`) carry this one, whichever attempt makes them.
  intended_at timestamptz not null default clock_timestamp(),
  started_at timestamptz not null default clock_timestamp(),
  deadline timestamptz,
  next_attempt_at timestamptz,
  finished_at timestamptz,
  output jsonb,
  errors jsonb not null default '[]',
  primary key (run_id, round, name, item, generation)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
comment on table pawl.step is 'The record that makes a step''s commit unique: one row per run, round, step, item and generation.';

create table pawl.journal (
  run_id uuid not null references pawl.run (id) on delete cascade,
  revision bigint not null,
  kind text not null check (kind in ('event', 'step', 'timer')),
  name text not null,
  subject text not null default '',
  verdict text,
  rule text,
  detail text,
  from_state text,
  to_state text,
  digest text,
  payload jsonb,
  event_id text,
  source text,
  at timestamptz not null default clock_timestamp(),
  primary key (run_id, revision)
);
comment on table pawl.journal is 'Append only: what happened to a run, in order, without gaps.';

create table pawl.repeat (
  run_id uuid not null references pawl.run (id) on delete cascade,
  type text not null,
  subject text not null,
  verdict text not null,
  rule text not null,
  count bigint not null default 1,
  first_at timestamptz not null default clock_timestamp(),
  last_at timestamptz not null default clock_timestamp(),
  primary key (run_id, type, subject, verdict)
);
comment on table pawl.repeat is 'Events recognised by their meaning as already decided: journaled once per subject, then counted here.';

create table pawl.event_key (
  run_id uuid not null references pawl.run (id) on delete cascade,
  type text not null,
  key text not null,
  digest text not null,
  primary key (run_id, type, key)
);
comment on table pawl.event_key is 'Semantic keys that a run has seen; they live as long as the run.';

create table pawl.parked_event (
  id uuid primary key,
  -- Null while undecided: stored inside a caller''s own transaction, or its version is unknown here.
  run_id uuid references pawl.run (id) on delete cascade,
  workflow text not null,
  key text not null,
  event_id text not null,
  source text not null,
  type text not null,
  type_version integer not null,
  subject text not null default '',
  payload jsonb not null,
  digest text not null,
  received_at timestamptz not null default clock_timestamp(),
  deadline timestamptz,
  -- Set when the deadline has passed: it is a dead letter now, and still applied should the run become able to take it.
  dead_letter_id uuid
);
comment on table pawl.parked_event is 'Early events, kept with their run and decided again after every change; undecided ones have no run yet.';
create unique index parked_event_decided on pawl.parked_event (run_id, type, subject) where run_id is not null;
create unique index parked_event_undecided on pawl.parked_event (workflow, key, source, event_id) where run_id is null;
create index parked_event_undecided_order on pawl.parked_event (received_at) where run_id is null;
create index parked_event_deadline on pawl.parked_event (deadline) where dead_letter_id is null and deadline is not null;

create table pawl.timer (
  run_id uuid not null references pawl.run (id) on delete cascade,
  round integer not null,
  state text not null,
  member text not null,
  fire_at timestamptz not null,
  primary key (run_id, round, state, member)
);
comment on table pawl.timer is 'One row per timeout that is running.';
create index timer_due on pawl.timer (fire_at);
