import { type Transaction, statement } from '@pawl/core';
import type { Change, JournalEntry, Repeat } from '../model/change.js';
import type { Run } from '../model/run.js';
import { insertParked, removeParked } from './parked-events.js';
import { ENDED } from './run-row.js';
import { changeTimers } from './timers.js';

/** What follows from a write for those who carry the run on. */
export interface Written {
  /** A step is due and no worker has the run: someone should be told. */
  readonly due: boolean;
  /** Names the hint. */
  readonly dispatch: number;
  /** The revision after the write. */
  readonly revision: number;
}

// The row is locked by this transaction. Receive leaves due_at alone while a worker has the run, for it is the end of the lease then;
// the worker finds the change when it closes or releases.
const UPDATE_RUN = statement(
  'write_change',
  `with written as (
     update pawl.run set version = $2, status = $3, state = $4, round = $5, data = $6::jsonb, marks = $7::jsonb,
       revision = $8, parked_count = $9, attention = $10, claims = case when $11 then 0 else claims end,
       undo_scope = $13, undo_to = $14, no_return = $15,
       -- Paused: whoever has the run keeps it until its call under way has ended.
       lease_until = case when $3 in ('running', 'compensating', 'paused') then lease_until end,
       paused_at = case when $3 = 'paused' then paused_at end,
       due_at = case when $3 not in ('running', 'compensating') then null
                     when lease_until > clock_timestamp() or not $11 then due_at
                     else clock_timestamp() end,
       dispatch = dispatch + 1,
       updated_at = clock_timestamp(),
       ended_at = case when $3 = any ('${ENDED}') then coalesce(ended_at, clock_timestamp()) end
     where id = $1
     returning coalesce(lease_until <= clock_timestamp(), true) and status in ('running', 'compensating')
       and coalesce(due_at <= clock_timestamp(), false) as due, dispatch::float8
   ), journaled as (
     insert into pawl.journal
       (run_id, revision, kind, name, subject, verdict, rule, detail, from_state, to_state, digest, payload, event_id, source)
     select $1, j.* from written, jsonb_to_recordset($12::jsonb) as j (revision bigint, kind text, name text, subject text,
       verdict text, rule text, detail text, "fromState" text, "toState" text, digest text, payload jsonb,
       "eventId" text, source text)
   )
   select due, dispatch from written`,
);

const COUNT_REPEATS = statement(
  'count_repeats',
  `insert into pawl.repeat as r (run_id, type, subject, verdict, rule, count)
   select $1, x.* from jsonb_to_recordset($2::jsonb) as x (type text, subject text, verdict text, rule text, count bigint)
   on conflict (run_id, type, subject, verdict) do update set count = r.count + excluded.count, last_at = clock_timestamp()
   returning type, subject, verdict, rule, xmax = 0 as first`,
);

const INSERT_KEYS = statement(
  'insert_event_keys',
  `insert into pawl.event_key (run_id, type, key, digest)
   select $1, x.* from jsonb_to_recordset($2::jsonb) as x (type text, key text, digest text)`,
);

/** Writes a change of a run whose row this transaction has locked. Messages, dead letters and losses are the caller's to append. */
export async function writeChange(tx: Transaction, change: Change): Promise<Written> {
  const { run } = change;
  const journal = [...change.journal, ...(await countRepeats(tx, run, change.repeats))];
  if (journal.length === 0 && change.unparked.length === 0)
    return { due: false, dispatch: 0, revision: run.revision };
  const revision = journal.at(-1)?.revision ?? run.revision;
  const [row] = await tx.query<{ due: boolean; dispatch: number }>(UPDATE_RUN, [
    run.id,
    run.version,
    run.status,
    run.state,
    run.round,
    JSON.stringify(run.data),
    JSON.stringify(run.marks),
    revision,
    run.parkedCount,
    run.attention,
    change.moved,
    JSON.stringify(journal),
    run.undo?.scope ?? null,
    run.undo?.to ?? null,
    run.noReturn,
  ]);
  if (change.unparked.length > 0) await removeParked(tx, run.id, change.unparked);
  if (change.parked.length > 0) await insertParked(tx, run, change.parked);
  if (change.keys.length > 0) await tx.query(INSERT_KEYS, [run.id, JSON.stringify(change.keys)]);
  await changeTimers(tx, run, change.timers);
  return { due: row?.due ?? false, dispatch: row?.dispatch ?? 0, revision };
}

/** Counts what was recognised by its meaning; answers the journal entries of those seen for the first time. */
async function countRepeats(tx: Transaction, run: Run, repeats: readonly Repeat[]): Promise<JournalEntry[]> {
  if (repeats.length === 0) return [];
  const bySubject = new Map<string, Repeat & { count: number }>();
  for (const repeat of repeats) {
    const key = `${repeat.type}\n${repeat.subject}\n${repeat.verdict}`;
    bySubject.set(key, { ...repeat, count: (bySubject.get(key)?.count ?? 0) + 1 });
  }
  const rows = await tx.query<Repeat & { first: boolean }>(COUNT_REPEATS, [
    run.id,
    JSON.stringify([...bySubject.values()]),
  ]);
  return rows.filter(({ first }) => first).map((repeat, n) => repeatEntry(run, repeat, run.revision + n + 1));
}

function repeatEntry(run: Run, { type, subject, verdict, rule }: Repeat, revision: number): JournalEntry {
  return {
    revision,
    kind: 'event',
    name: type,
    subject,
    verdict,
    rule,
    detail: null,
    fromState: run.state,
    toState: run.state,
    digest: null,
    payload: null,
    eventId: null,
    source: null,
  };
}
