import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';
import { type ControlRefusal, refused, type StepOrder } from './control-order.js';
import { isPastNoReturn } from '../steps/no-return.js';
import { restingOrRunning } from '../steps/steps.js';

/**
 * What a person can see to: compensations that have given up, and, unless the run is undone, steps of its state that have given up or are in doubt.
 */
export function stuckRecords(definition: Definition, run: Run, records: readonly StepRecord[]): StepRecord[] {
  return records.filter((record) => {
    const { kind, status } = record;
    if (kind === 'compensation') return status === 'failed';
    const isHeld = status === 'failed' || status === 'in_doubt';
    return isHeld && !isUndone(run) && stepIn(definition, run, record) !== undefined;
  });
}

/** What its steps have done, or may have done, is the compensations' from then on. */
export function isUndone({ status }: Run): boolean {
  return status === 'compensating' || status === 'compensation_failed';
}

/** The step of a record, if it belongs to the run's state. */
export function stepIn(
  { steps }: Definition,
  run: Run,
  { kind, name }: Pick<StepRecord, 'kind' | 'name'>,
): StepDefinition | undefined {
  return kind === 'step' ? steps.find((step) => step.name === name && step.in === run.state) : undefined;
}

/** Why nothing can be done about the step that was named. */
export function notStuck(
  { steps }: Definition,
  run: Run,
  records: readonly StepRecord[],
  name: string,
): ControlRefusal {
  const step = steps.find((one) => one.name === name || one.compensation?.name === name);
  if (!step) return refused('step_unknown', `The workflow has neither a step nor a compensation ${name}.`);
  const record = records.find((one) => one.name === name);
  if (record?.status === 'lost' && isUndone(run))
    return refused(
      'undo_under_way',
      `The run is undone, and the compensation of ${name} is told \`unknown\`.`,
    );
  if (record?.kind === 'step' && step.in !== run.state)
    return refused(
      'step_left_behind',
      `The run has left ${step.in}, the state of ${name}; it is in ${run.state}.`,
    );
  return refused(
    'step_not_failed',
    `${name} is ${record?.status ?? 'not begun'}; only what has given up, is in doubt or is lost waits for a person.`,
  );
}

/** The records as they are once the orders are carried out. */
export function recordsAfter(records: readonly StepRecord[], orders: readonly StepOrder[]): StepRecord[] {
  const changed = new Map(orders.map((order) => [order.record.name, recordAfter(order)]));
  return records.map((record) => changed.get(record.name) ?? record);
}

function recordAfter(order: StepOrder): StepRecord {
  const { record } = order;
  if (order.kind === 'settle')
    return { ...record, status: order.status, output: order.output, inDoubt: false };
  const generation = record.generation + (order.kind === 'renew' ? 1 : 0);
  const fresh = { status: 'retrying' as const, attempts: 0, confirmAttempts: 0, waitMs: 0, expiresMs: null };
  return { ...record, ...fresh, generation, inDoubt: order.inDoubt };
}

/** The run once a person has seen to what had stopped it. */
export function backToWork(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  if (isUndone(run)) return { ...run, status: 'compensating' };
  return { ...goingOn(definition, run, records), noReturn: isPastNoReturn(definition, records) };
}

/** The run as it goes on from where it is: it is failed as long as a step of its state is. */
export function goingOn(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  const failed = records.some(
    (record) => record.status === 'failed' && stepIn(definition, run, record) !== undefined,
  );
  if (failed) return { ...run, status: 'failed' };
  return restingOrRunning(definition, { ...run, status: 'running' }, records);
}
