import { RangeSet, statement, type Transaction } from '@pawl/core';
import type { ItemsProgress } from '../machine/steps/items.js';
import type { RunStatus } from '../model/run.js';
import type { FinishedStep } from './close-steps.js';
import type { AttemptAt } from './step-attempts.js';
import { BEGUN } from './step-delay.js';

// The head row of a step over items: its parameters, after those of the run ($1 id, $2 token, $3 state, $4 round), are $5 kind, $6 name, $7 generation.
const IS_HELD = `r.id = $1 and r.fencing_token = $2 and r.round = $4`;
const GOES_ON = `case when $5 = 'step' then r.status = 'running' and r.state = $3 else r.status in ('running', 'compensating') end`;
const HEAD = `h.name = $6 and h.item = -1 and h.generation = $7::int`;

// How many there are is written once: whoever goes on after a crash finds what the first one has read.
const BEGIN_ITEMS = statement(
  'begin_items',
  `with held as (
     select r.id, r.round, r.fencing_token from pawl.run r where ${IS_HELD} and ${GOES_ON} for no key update
   ), begun as (
     insert into pawl.step as s (run_id, round, kind, name, generation, undoes, effect, attempt_id, idempotency_key, fencing_token, status, attempts,
       items_total, items_done, items_failed, expires_at)
     select id, round, $5, $6, $7::int, $8, $9, $10::uuid, $11, fencing_token, 'open', 0, $12, '{}', '{}',
       clock_timestamp() + make_interval(secs => $13 / 1000.0)
     from held
     on conflict (run_id, round, name, item, generation) do update set status = 'open', effect = excluded.effect,
       fencing_token = excluded.fencing_token, in_doubt = false, ${BEGUN},
       items_total = coalesce(s.items_total, excluded.items_total), items_done = coalesce(s.items_done, '{}'),
       items_failed = coalesce(s.items_failed, '{}'), expires_at = coalesce(s.expires_at, excluded.expires_at), next_attempt_at = null
     where s.status in ('open', 'retrying')
     returning s.run_id, s.items_total, s.items_done, s.items_failed, s.intended_at
   ), committed as (
     update pawl.run r set no_return = true from begun where $14 and r.id = begun.run_id
   )
   select items_total as total, items_done::text as done, items_failed::text as failed,
     (extract(epoch from intended_at) * 1000)::float8 as intended_ms from begun`,
);

// The last statement of a transaction in which items were worked on. Each condition closes one race:
//   fencing_token: another worker has claimed the run since.
//   status, state, round: an event has moved the run meanwhile (D1). A run that was paused, or has failed of another step, keeps what a call has done
//     elsewhere; what a transaction has done is rolled back and done again.
//   pg_current_xact_id: the user's code has committed by itself, and what follows would be another transaction.
//   items_done: one of them is done already; the head says so for ever, in a few ranges.
// The run's own row is written only where the claim has made no progress yet.
const CLOSE_ITEMS = statement(
  'close_items',
  `with held as (
     select r.id, r.round, r.fencing_token, r.revision, r.status, r.claims from pawl.run r
     where ${IS_HELD} and pg_current_xact_id()::text = $8
       and (${GOES_ON} or $9 and r.status in ('paused', 'failed') and case when $5 = 'step' then r.state = $3 and r.undo_scope is null else r.status = 'paused' end)
     for no key update
   ), progressed as (
     update pawl.run r set claims = 0, updated_at = clock_timestamp() from held where r.id = held.id and held.claims > 0
   ), counted as (
     update pawl.step h set items_done = h.items_done + $10::int8multirange, items_failed = h.items_failed + $11::int8multirange from held
     where h.run_id = held.id and h.round = held.round and ${HEAD} and h.status = 'open'
       and not h.items_done && ($10::int8multirange + $11::int8multirange)
     returning h.run_id
   ), recorded as (
     insert into pawl.step (run_id, round, kind, name, generation, undoes, item, status, effect, attempts, attempt_id, idempotency_key,
       fencing_token, finished_at, output, in_doubt)
     select held.id, held.round, $5, $6, $7::int, x.undoes, x.item, x.status, x.effect, x.attempts, x."attemptId", x."idempotencyKey",
       held.fencing_token, clock_timestamp(), x.output, x.status = 'lost'
     from held join counted on counted.run_id = held.id, jsonb_to_recordset($12::jsonb) as x (undoes text, item bigint, status text, effect text,
       attempts int, "attemptId" uuid, "idempotencyKey" text, output jsonb)
     on conflict (run_id, round, name, item, generation) do update set status = excluded.status, attempts = excluded.attempts,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, finished_at = excluded.finished_at, next_attempt_at = null,
       output = excluded.output, in_doubt = excluded.in_doubt
     returning 1
   )
   select held.revision::float8, held.status, exists (select from counted) as counted, (select count(*)::int from recorded) as recorded,
     pg_current_xact_id()::text = $8 as same_transaction
   from (select 1) as one left join held on true`,
);

// In the transaction that has recorded that the item has failed, and holds the run's row since.
const GIVE_UP_ITEM = statement(
  'give_up_item',
  `update pawl.step set items_failed = items_failed + int8multirange(int8range($5::bigint, $5::bigint + 1))
   where run_id = $1 and round = $2 and name = $3 and generation = $4::int and item = -1 and items_failed is not null`,
);

// FOR SHARE: whoever claims meanwhile waits, and then finds the instant.
const REST_ITEMS = statement(
  'rest_items',
  `with held as (select r.id, r.round from pawl.run r where ${IS_HELD} and ${GOES_ON} for share)
   update pawl.step h set next_attempt_at = clock_timestamp() + make_interval(secs => $8 / 1000.0) from held
   where h.run_id = held.id and h.round = held.round and ${HEAD} and h.status = 'open' returning 1`,
);

// What others have folded meanwhile does not matter; that the run is still there does. A person has to say what came of the items in doubt.
const HOLD_ITEMS = statement(
  'hold_items',
  `with held as (select r.id, r.round from pawl.run r where ${IS_HELD} and ${GOES_ON} for no key update), doubted as (
     update pawl.step h set status = 'in_doubt', in_doubt = true, next_attempt_at = null from held
     where h.run_id = held.id and h.round = held.round and ${HEAD} and h.status = 'open' returning h.run_id
   ), asked as (
     update pawl.run r set attention = concat_ws('; ', r.attention, 'step ' || $6 || ' in doubt: ' || $8), revision = r.revision + 1,
       updated_at = clock_timestamp()
     from doubted where r.id = doubted.run_id returning r.id, r.revision, r.state
   )
   insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state)
   select id, revision, 'step', $6, 'in doubt: ' || $8, state, state from asked`,
);

export interface ItemsBegun extends ItemsProgress {
  /** When the first claim began them. Milliseconds since 1970. */
  readonly intendedMs: number;
}

/**
 * Writes the head row of a step over items, or finds it: how many there are, and which of them are done. Undefined: the lease is lost, the run has
 * moved, or the step is not open any more.
 */
export async function beginItems(
  tx: Transaction,
  head: AttemptAt,
  {
    total,
    deadlineMs,
    noReturn,
  }: { readonly total: number; readonly deadlineMs: number | undefined; readonly noReturn: boolean },
): Promise<ItemsBegun | undefined> {
  const { undoes, effect, attemptId, idempotencyKey } = head;
  const own = [undoes, effect, attemptId, idempotencyKey, total, deadlineMs ?? null, noReturn];
  const [row] = await tx.query<{ total: number; done: string; failed: string; intended_ms: number }>(
    BEGIN_ITEMS,
    [...headValues(head), ...own],
  );
  return (
    row && {
      total: row.total,
      done: RangeSet.parse(row.done),
      failed: RangeSet.parse(row.failed),
      intendedMs: row.intended_ms,
    }
  );
}

/**
 * - `closed`: the items' records stand, if the transaction commits.
 * - `refused`: the lease is lost, the run has left the state, or one of them is done already; roll back.
 * - `transaction-ended`: the user's code has committed or rolled back by itself.
 */
export type ItemsClosed =
  | { readonly kind: 'closed'; readonly revision: number; readonly status: RunStatus }
  | { readonly kind: 'refused' }
  | { readonly kind: 'transaction-ended' };

/** Writes what the items of one transaction have achieved, or that they are lost; see the statement for the races it closes. */
export async function closeItems(
  tx: Transaction,
  head: AttemptAt,
  items: readonly FinishedStep[],
): Promise<ItemsClosed> {
  const indexesOf = (lost: boolean) =>
    RangeSet.of(
      ...items.filter(({ status }) => (status === 'lost') === lost).map(({ item }) => item),
    ).toString();
  const rows = JSON.stringify(
    items.map((item) => ({ status: 'done', ...item, output: item.output ?? null })),
  );
  const own = [tx.id, head.effect === 'external', indexesOf(false), indexesOf(true), rows];
  const [row] = await tx.query<{
    revision: number | null;
    status: RunStatus;
    counted: boolean;
    recorded: number;
    same_transaction: boolean;
  }>(CLOSE_ITEMS, [...headValues(head), ...own]);
  if (!row?.same_transaction) return { kind: 'transaction-ended' };
  if (row.revision === null || !row.counted || row.recorded !== items.length) return { kind: 'refused' };
  return { kind: 'closed', revision: row.revision, status: row.status };
}

/** Counts an item as given up, in the transaction that has recorded its last attempt. */
export async function giveUpItem(tx: Transaction, { run, name, generation, item }: AttemptAt): Promise<void> {
  await tx.query(GIVE_UP_ITEM, [run.id, run.round, name, generation, item]);
}

/** Nothing can be begun for so many milliseconds: the run need not be held for it. */
export async function restItems(tx: Transaction, head: AttemptAt, ms: number): Promise<void> {
  await tx.query(REST_ITEMS, [...headValues(head), ms]);
}

/** Nothing is left but items of which nobody can say what came of them: the step waits for a person. */
export async function holdItems(tx: Transaction, head: AttemptAt, which: string): Promise<void> {
  await tx.query(HOLD_ITEMS, [...headValues(head), which]);
}

function headValues({ run, fencingToken, kind, name, generation }: AttemptAt): unknown[] {
  return [run.id, fencingToken, run.state, run.round, kind, name, generation];
}
