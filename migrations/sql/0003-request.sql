-- HTTP in: requests with an idempotency key, requests that are exchanged by id, webhooks.

create table pawl.request (
  scope text not null,
  key text not null,
  -- Digest of method, path and canonical body: what a repeated key is compared with.
  fingerprint text not null,
  -- Null only while the transaction that answers is open, so nobody else ever sees null.
  status integer,
  -- json and not jsonb: a repeated request gets its answer word for word.
  body json,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (scope, key)
) with (
  -- Each row is updated once, in the transaction that inserted it, and touches no indexed column: room on the page keeps that HOT.
  fillfactor = 60,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.request is 'One row per HTTP request with an idempotency key: its answer, until it expires.';
create index request_expires on pawl.request (expires_at);

create table pawl.exchange (
  -- A UUIDv7 of the caller's: it carries the time up to which its row is kept, so neither a column nor an index is needed for that.
  id uuid primary key,
  -- Whose id it is: nobody else reads or forgets it.
  caller text not null,
  type text not null,
  -- Of caller, type and body: what a repeated PUT is compared with.
  digest text not null,
  -- Null once forgotten.
  body json,
  -- Null until processed. json and not jsonb: it is repeated word for word.
  answer json,
  -- The handler's final no, instead of an answer.
  refusal json,
  stored_at timestamptz not null default clock_timestamp(),
  processed_at timestamptz,
  -- Of a tombstone: body and answer are gone, the id stays taken.
  forgotten_at timestamptz,
  check (answer is null or refusal is null),
  check (forgotten_at is null or (body is null and answer is null and refusal is null))
) with (
  -- Each row is updated twice, when it is processed and when it is forgotten, and touches no indexed column: room on the page keeps that HOT.
  fillfactor = 60,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.exchange is 'One row per request that was put, POSTed or forgotten, until the time that its id carries has left the window.';

create table pawl.exchange_horizon (
  single boolean primary key default true check (single),
  -- Milliseconds since 1970. Ids up to here may have been pruned: none is ever accepted again, should window or clock change.
  before_ms bigint not null default 0
);
comment on table pawl.exchange_horizon is 'One row: up to which time ids are forgotten for good.';
insert into pawl.exchange_horizon default values;

create table pawl.webhook (
  source text not null,
  id text not null,
  received_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (source, id)
) with (
  -- Rows are inserted and deleted, never updated in place: a batch that expires is cleaned away soon.
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_cost_delay = 0
);
comment on table pawl.webhook is 'One row per webhook that took effect, for the retention that its source declares.';
create index webhook_expires on pawl.webhook (expires_at);
