import { statement, type Transaction } from '@pawl/core';
import type { ItemDue } from '../machine/steps/items.js';
import { type StepRecord, stepRecord } from '../model/step-record.js';
import type { AttemptAt } from './step-attempts.js';
import { millisecondsUntil } from './step-record.js';

/** The columns of an item's row `alias` that say how its attempts stand, as one JSON value; null where there is no row. */
const recordOf = (
  alias: string,
): string => `case when ${alias}.run_id is not null then jsonb_build_object('status', ${alias}.status,
  'attempts', ${alias}.attempts, 'confirmAttempts', ${alias}.confirm_attempts, 'inDoubt', ${alias}.in_doubt, 'output', ${alias}.output,
  'waitMs', ${millisecondsUntil(`${alias}.next_attempt_at`)},
  'doubtMs', case when ${alias}.in_doubt then ${millisecondsUntil(`greatest(${alias}.deadline, ${alias}.earlier_deadline)`)} else 0 end,
  'expiresMs', case when ${alias}.expires_at is not null then ${millisecondsUntil(`${alias}.expires_at`)} end) end`;

// By the index on what is open: those that are done are not read.
const OPEN_ITEMS = statement(
  'open_items',
  `select s.item::float8 as index, ${recordOf('s')} as record from pawl.step s
   where s.run_id = $1 and s.round = $2 and s.name = $3 and s.generation = $4::int and s.item >= 0
     and s.status in ('intent', 'retrying', 'in_doubt')
   order by s.item limit $5`,
);

// From the highest index down, each read once per claim; those that are undone, or stuck, are known by the head of the compensation.
const ITEMS_TO_UNDO = statement(
  'items_to_undo',
  `select s.item::float8 as index, ${recordOf('s')} as undoes, ${recordOf('u')} as record
   from pawl.step h
   join pawl.step s on s.run_id = h.run_id and s.round = h.round and s.name = h.undoes and s.generation = h.generation
   left join pawl.step u on u.run_id = h.run_id and u.round = h.round and u.name = h.name and u.generation = h.generation and u.item = s.item
   where h.run_id = $1 and h.round = $2 and h.name = $3 and h.generation = $4::int and h.item = -1
     and s.item >= 0 and s.item < $5::bigint and (s.status in ('done', 'lost') or s.in_doubt)
     and not h.items_done @> s.item and not h.items_failed @> s.item
   order by s.item desc limit $6`,
);

// Under the token: whoever has lost the run, or has seen it move, is told nothing and goes no further.
const ITEM_NOW = statement(
  'item_now',
  `select s.item::float8 as index, ${recordOf('s')} as record from pawl.run r join pawl.step s on s.run_id = r.id and s.round = r.round
   where r.id = $1 and r.round = $2 and s.name = $3 and s.generation = $4::int and s.item = $5::bigint and r.fencing_token = $6
     and case when $7 = 'step' then r.status = 'running' and r.state = $8 else r.status in ('running', 'compensating') end`,
);

const ITEM_TO_UNDO_NOW = statement(
  'item_to_undo_now',
  `select ${recordOf('s')} as undoes, ${recordOf('u')} as record
   from pawl.run r join pawl.step s on s.run_id = r.id and s.round = r.round and s.name = $7 and s.generation = $4::int and s.item = $5::bigint
   left join pawl.step u on u.run_id = r.id and u.round = r.round and u.name = $3 and u.generation = $4::int and u.item = $5::bigint
   where r.id = $1 and r.round = $2 and r.fencing_token = $6 and r.status in ('running', 'compensating')`,
);

// Those that are lost are counted as given up too, and are no failure of the step.
const FIRST_FAILED = statement(
  'first_failed_item',
  `select s.item::float8 as index, s.errors -> -1 ->> 'message' as message
   from pawl.step h join pawl.step s on s.run_id = h.run_id and s.round = h.round and s.name = h.name and s.generation = h.generation
   where h.run_id = $1 and h.round = $2 and h.name = $3 and h.generation = $4::int and h.item = -1
     and s.item >= 0 and s.status = 'failed' and h.items_failed @> s.item
   order by s.item limit 1`,
);

/** Items that were begun, and are neither done nor given up. */
export async function openItems(tx: Transaction, head: AttemptAt, limit: number): Promise<ItemDue[]> {
  const rows = await tx.query<{ index: number; record: Partial<StepRecord> }>(OPEN_ITEMS, [
    ...namesOf(head),
    limit,
  ]);
  return rows.map(({ index, record }) => ({ index, record: asRecord(head, record) }));
}

/** Items below `below` that are done or in doubt, and are neither undone nor stuck; the highest first. */
export async function itemsToUndo(
  tx: Transaction,
  head: AttemptAt,
  { below, limit }: { readonly below: number; readonly limit: number },
): Promise<ItemDue[]> {
  const rows = await tx.query<{
    index: number;
    undoes: Partial<StepRecord>;
    record: Partial<StepRecord> | null;
  }>(ITEMS_TO_UNDO, [...namesOf(head), below, limit]);
  return rows.map(({ index, undoes, record }) => ({
    index,
    undoes: asRecord(head, undoes),
    record: record === null ? undefined : asRecord(head, record),
  }));
}

/** How the attempts at an item stand now; undefined: there was none, or the run is lost or has moved. */
export async function itemNow(
  tx: Transaction,
  head: AttemptAt,
  index: number,
): Promise<StepRecord | undefined> {
  const { run, fencingToken, kind } = head;
  const values = [...namesOf(head), index, fencingToken, kind, run.state];
  const [row] = await tx.query<{ record: Partial<StepRecord> }>(ITEM_NOW, values);
  return row && asRecord(head, row.record);
}

/** How the undoing of an item stands now; undefined: the run is lost or has moved. `skipped`: there is nothing to undo any more. */
export async function itemToUndoNow(
  tx: Transaction,
  head: AttemptAt,
  index: number,
): Promise<ItemDue | undefined> {
  const [row] = await tx.query<{ undoes: Partial<StepRecord>; record: Partial<StepRecord> | null }>(
    ITEM_TO_UNDO_NOW,
    [...namesOf(head), index, head.fencingToken, head.undoes],
  );
  if (row === undefined) return undefined;
  const undoes = asRecord(head, row.undoes);
  const record = row.record === null ? undefined : asRecord(head, row.record);
  const nothing = record === undefined && undoes.status !== 'done' && !undoes.inDoubt;
  return { index, undoes, record: nothing ? stepRecord({ name: head.name, status: 'skipped' }) : record };
}

/** The lowest of the items that have given up, and what it failed of last. */
export async function firstFailed(
  tx: Transaction,
  head: AttemptAt,
): Promise<{ readonly index: number; readonly message: string | null } | undefined> {
  const [row] = await tx.query<{ index: number; message: string | null }>(FIRST_FAILED, namesOf(head));
  return row;
}

function asRecord({ name, kind, generation }: AttemptAt, row: Partial<StepRecord>): StepRecord {
  return stepRecord({ ...row, name, kind, generation, status: row.status ?? 'open' });
}

function namesOf({ run, name, generation }: AttemptAt): unknown[] {
  return [run.id, run.round, name, generation];
}
