-- Sagas: what is undone, what is in doubt, fan-out over items, and what people do to runs.

alter table pawl.run drop constraint run_status_check;
alter table pawl.run add constraint run_status_check check (status in ('awaited', 'running', 'waiting', 'paused', 'compensating',
  'completed', 'compensated', 'cancelled', 'terminated', 'failed', 'compensation_failed')) not valid;
alter table pawl.run
  -- What is undone: all that its steps did, or what was open in a state that it left. Null: nothing.
  add column undo_scope text check (undo_scope in ('all', 'abandoned')),
  -- How the run ends once that is undone.
  add column undo_to text check (undo_to in ('completed', 'compensated', 'cancelled')),
  -- A step that can not be taken back has begun: the run goes forward or stops, and is never undone.
  add column no_return boolean not null default false,
  -- Since when no step is begun and no timer fires.
  add column paused_at timestamptz,
  -- Of a run that a person has made from a point of another one.
  add column forked_from uuid;

alter table pawl.step drop constraint step_status_check;
alter table pawl.step add constraint step_status_check check (status in ('open', 'intent', 'retrying', 'in_doubt', 'done', 'skipped',
  'lost', 'failed')) not valid;
alter table pawl.step
  add column kind text not null default 'step' check (kind in ('step', 'compensation')),
  -- Of a compensation: the step that it undoes, of the same item and generation.
  add column undoes text,
  -- Some attempt may have taken effect, and nobody has said that it did not.
  add column in_doubt boolean not null default false,
  -- Until when an attempt before the last one may take effect, if it may; `deadline` says so of the last one.
  add column earlier_deadline timestamptz,
  -- The run left the state while the step was open: it is undone on its own, and the run goes on.
  add column abandoned boolean not null default false,
  -- How often was asked whether an attempt in doubt took effect, since that attempt.
  add column confirm_attempts integer not null default 0,
  -- No attempt is begun after this, of all attempts together. `deadline` is that of one attempt.
  add column expires_at timestamptz,
  -- Of a step that runs for each item: how many there are, and which of them are done or given up. Ranges, so that the row does not grow.
  add column items_total integer,
  add column items_done int8multirange,
  add column items_failed int8multirange;
-- Items that are at work, and what is to be undone, are found without reading the items that are done.
create index step_items_open on pawl.step (run_id, round, name, item)
  where item >= 0 and status in ('intent', 'retrying', 'in_doubt');

alter table pawl.journal drop constraint journal_kind_check;
alter table pawl.journal add constraint journal_kind_check check (kind in ('event', 'step', 'timer', 'update', 'control', 'undo')) not valid;
-- An update is made once under its id, and found again by it.
create unique index journal_update on pawl.journal (run_id, event_id) where kind = 'update';

alter table pawl.parked_event
  -- Of an undecided start: the version that it starts. Null: the newest that the deciding process has.
  add column start_version integer;

alter table pawl.timer
  -- What a pause adds to its instant begins here.
  add column started_at timestamptz not null default clock_timestamp();

alter table pawl.loss drop constraint loss_origin_check;
alter table pawl.loss add constraint loss_origin_check check (origin in ('message', 'event', 'step')) not valid;

create table pawl.operator_action (
  id uuid primary key,
  run_id uuid,
  workflow text,
  key text,
  action text not null,
  actor text not null,
  reason text not null,
  -- What was asked for beyond the action: a patch, an output, versions.
  detail jsonb,
  -- What became of it: 'done', or the code of the refusal.
  outcome text not null,
  at timestamptz not null default clock_timestamp()
);
comment on table pawl.operator_action is 'What people did to runs, by whom and why; written in the transaction of the act.';
create index operator_action_run on pawl.operator_action (run_id, at);
create index operator_action_listed on pawl.operator_action (at, id);
