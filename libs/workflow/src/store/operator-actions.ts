import { statement, type Transaction } from '@pawl/core';

/** What a person did to a run, or wanted to; kept for ever, also when the run is gone. */
export interface OperatorAction {
  readonly id: string;
  readonly runId: string;
  readonly action: string;
  readonly actor: string;
  readonly reason: string;
  /** What was asked for beyond the action, and what was answered. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** `done`, or the code of the refusal. */
  readonly outcome: string;
}

const INSERT_ACTION = statement(
  'insert_operator_action',
  `insert into pawl.operator_action (id, run_id, workflow, key, action, actor, reason, detail, outcome)
   select $1, r.id, r.workflow, r.key, $3, $4, $5, $6::jsonb, $7 from pawl.run r where r.id = $2
   on conflict (id) do nothing returning id`,
);

const FIND_ACTION = statement(
  'find_operator_action',
  `select id, run_id as "runId", action, actor, reason, coalesce(detail, '{}') as detail, outcome from pawl.operator_action where id = $1`,
);

/** Writes it in the transaction of the act. False: another one has its id. */
export async function insertAction(tx: Transaction, action: OperatorAction): Promise<boolean> {
  const { id, runId, action: name, actor, reason, detail, outcome } = action;
  const values = [id, runId, name, actor, reason, JSON.stringify(detail), outcome];
  return (await tx.query(INSERT_ACTION, values)).length > 0;
}

export async function findAction(tx: Transaction, id: string): Promise<OperatorAction | undefined> {
  const [row] = await tx.query<OperatorAction>(FIND_ACTION, [id]);
  return row;
}
