import { statement, type Transaction } from '@pawl/core';
import type { AttemptAt } from './step-attempts.js';

// The worker that asked still has the run, which is still where it was: its step is due, or its effects are undone ($6).
const HELD = `select r.id, r.round, r.state from pawl.run r where r.id = $1 and r.fencing_token = $2 and r.round = $3
  and case when $6 then r.status in ('running', 'compensating') else r.status = 'running' and r.state = $4 end`;
// Nobody has found out meanwhile.
const DOUBTED = `s.run_id = held.id and s.round = held.round and s.name = $5 and s.item = $7 and s.generation = $8
  and s.in_doubt and s.status in ('intent', 'retrying', 'in_doubt', 'failed')`;

// The attempt has its status still: a call that is at work keeps its outcome with it. Without a time: once it can have no effect any more.
const ASK_AGAIN = statement(
  'ask_again',
  `with held as (${HELD} for share)
   update pawl.step s set confirm_attempts = $9,
     next_attempt_at = case when $10::float8 is null then greatest(s.deadline, s.earlier_deadline)
                            else clock_timestamp() + make_interval(secs => $10 / 1000.0) end,
     errors = case when $11::jsonb is null then s.errors else s.errors || jsonb_build_array($11::jsonb) end
   from held where ${DOUBTED}`,
);

const RECORD_NOT_HAPPENED = statement(
  'record_not_happened',
  `with held as (${HELD} for share)
   update pawl.step s set in_doubt = false, confirm_attempts = 0, next_attempt_at = null,
     status = case when s.status = 'failed' then 'failed' else 'retrying' end
   from held where ${DOUBTED} returning 1`,
);

const RECORD_HAPPENED = statement(
  'record_happened',
  `with held as (${HELD} for share)
   update pawl.step s set status = 'done', in_doubt = false, output = $9::jsonb, next_attempt_at = null, finished_at = clock_timestamp()
   from held where ${DOUBTED}`,
);

const RECORD_IN_DOUBT = statement(
  'record_in_doubt',
  `with held as (${HELD} for no key update), doubted as (
     update pawl.step s set status = 'in_doubt', next_attempt_at = null from held where ${DOUBTED} returning s.run_id, s.name
   ), asked as (
     update pawl.run r set attention = concat_ws('; ', r.attention, 'step ' || doubted.name || ' in doubt'), revision = r.revision + 1,
       updated_at = clock_timestamp()
     from doubted where r.id = doubted.run_id and $7 = -1 returning r.id, r.revision, r.state
   )
   insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state)
   select id, revision, 'step', $5, 'in doubt', state, state from asked`,
);

export interface AskAgain {
  readonly undone: boolean;
  /** How often was asked without an answer. */
  readonly attempts: number;
  /** Default: once the attempt can have no effect any more. Milliseconds. */
  readonly inMs?: number;
  readonly error?: object;
}

/** Sets the time at which is asked again. */
export async function askAgain(tx: Transaction, at: AttemptAt, again: AskAgain): Promise<void> {
  const { undone, attempts, inMs = null, error } = again;
  const values = [...valuesOf(at, undone), attempts, inMs, error ? JSON.stringify(error) : null];
  await tx.query(ASK_AGAIN, values);
}

/** No attempt of it took effect, nor will: it is made again by its policy, or there is nothing to undo. False: the run has moved on. */
export async function recordNotHappened(
  tx: Transaction,
  at: AttemptAt,
  { undone }: { readonly undone: boolean },
): Promise<boolean> {
  return (await tx.query(RECORD_NOT_HAPPENED, valuesOf(at, undone))).length > 0;
}

/** It took effect, and is to be undone: it is done, and the run stays where it is. */
export async function recordHappened(tx: Transaction, at: AttemptAt, output: unknown): Promise<void> {
  await tx.query(RECORD_HAPPENED, [...valuesOf(at, true), JSON.stringify(output ?? null)]);
}

/** Nobody can say: it waits for a person. */
export async function recordInDoubt(tx: Transaction, at: AttemptAt): Promise<void> {
  await tx.query(RECORD_IN_DOUBT, valuesOf(at, false));
}

function valuesOf({ run, fencingToken, name, item, generation }: AttemptAt, undone: boolean): unknown[] {
  return [run.id, fencingToken, run.round, run.state, name, undone, item, generation];
}
