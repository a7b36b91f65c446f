-- HTTP requests that carry an idempotency key, with the answers they got.

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
