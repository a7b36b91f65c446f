import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';
import { withoutStuck } from './attention.js';
import {
  type ControlFacts,
  type ControlRefusal,
  type Decided,
  type RedriveTerms,
  refused,
  type StepOrder,
  UNCHANGED,
} from './control-order.js';
import { skip } from './control-skip.js';
import { backToWork, isUndone, notStuck, recordsAfter, stepIn, stuckRecords } from './control-steps.js';
import { isObject, type JsonObject, mergePatch, patchBack } from './merge-patch.js';
import { isStorable } from '../storable.js';

/** Lets the run go on from what has stopped it: a step or compensation that gave up, one in doubt, one that was lost, or a quarantine. */
export function redrive(definition: Definition, run: Run, facts: ControlFacts, terms: RedriveTerms): Decided {
  if (run.status === 'paused')
    return refused('paused', 'The run is paused: resume it first, then redrive what has stopped it.');
  if (terms.assume === 'happened') return happened(definition, run, facts, terms);
  const orders = ordersFor(definition, run, facts, terms);
  if ('code' in orders) return orders;
  if (orders.length === 0 && !facts.quarantined) return nothingStuck(run, terms);
  const patched = withData(run, terms.data);
  if ('code' in patched) return patched;
  const records = recordsAfter(facts.records, orders);
  const names = orders.map(({ record }) => record.name);
  const seenTo: Run = { ...patched.run, attention: withoutStuck(run.attention, names) };
  const { detail } = patched;
  return { kind: 'changed', run: backToWork(definition, seenTo, records), steps: orders, detail };
}

/** It is known now that the attempt took effect: the step is done, and would be undone with the others. */
function happened(
  definition: Definition,
  run: Run,
  facts: ControlFacts,
  { step, data, output }: RedriveTerms,
): Decided {
  if (data !== undefined)
    return refused(
      'data_invalid',
      'What has happened, happened with the data as it was: leave the patch out.',
    );
  return skip(definition, run, facts, { ...(step === undefined ? {} : { step }), output }, 'done');
}

function nothingStuck({ status }: Run, { data }: RedriveTerms): Decided {
  const isGoingOn = status === 'running' || status === 'compensating';
  if (isGoingOn && data === undefined) return UNCHANGED;
  return refused('nothing_to_redrive', `The run is ${status}, and nothing has given up or is in doubt.`);
}

function ordersFor(
  definition: Definition,
  run: Run,
  facts: ControlFacts,
  terms: RedriveTerms,
): StepOrder[] | ControlRefusal {
  const { records, quarantined } = facts;
  const { step, data, assume } = terms;
  const stuck = stuckRecords(definition, run, records);
  if (quarantined) stuck.push(...deadlyRecords(definition, run, records));
  const lost = records.find(({ name, status }) => name === step && status === 'lost');
  if (lost && !isUndone(run) && stepIn(definition, run, lost))
    return [{ kind: 'renew', record: lost, inDoubt: false }];
  const chosen = step === undefined ? stuck : stuck.filter(({ name }) => name === step);
  if (step !== undefined && chosen.length === 0) return notFound(definition, run, records, step);
  const kind = data === undefined ? 'retry' : 'renew';
  const inDoubt = (record: StepRecord) => record.inDoubt && assume !== 'not-happened';
  if (kind === 'renew') {
    const wrong = newKeyRefused(chosen.filter(inDoubt), chosen);
    if (wrong) return wrong;
  }
  return chosen.map((record) => ({ kind, record, inDoubt: inDoubt(record) }));
}

/** What was at work when its process died, again and again: attempts that were spent for nothing are given back. */
function deadlyRecords(definition: Definition, run: Run, records: readonly StepRecord[]): StepRecord[] {
  return records.filter((record) => {
    const isHere = record.kind === 'compensation' || stepIn(definition, run, record) !== undefined;
    return isHere && isAtWork(record);
  });
}

function isAtWork({ status }: StepRecord): boolean {
  return status === 'open' || status === 'intent' || status === 'retrying';
}

/** What has been redriven before is at work already. */
function notFound(
  definition: Definition,
  run: Run,
  records: readonly StepRecord[],
  name: string,
): StepOrder[] | ControlRefusal {
  const record = records.find((one) => one.name === name);
  const isHere = record?.kind === 'compensation' || (record && stepIn(definition, run, record) !== undefined);
  return record && isAtWork(record) && isHere ? [] : notStuck(definition, run, records, name);
}

/** Another key is another effect: only where it is known that there is none yet. */
function newKeyRefused(
  inDoubt: readonly StepRecord[],
  chosen: readonly StepRecord[],
): ControlRefusal | undefined {
  if (chosen.some(({ kind }) => kind === 'compensation'))
    return refused(
      'data_invalid',
      'A compensation is tried again with the data that it had: leave the patch out.',
    );
  if (chosen.some(({ itemsTotal }) => itemsTotal !== null))
    return refused(
      'data_invalid',
      'Items of the step are done already, and would be again: leave the patch out.',
    );
  const [first] = inDoubt;
  return first
    ? refused(
        'step_in_doubt',
        `An attempt at ${first.name} may have taken effect, and under another key it would a second time. ` +
          `Find out, and say assume: 'not-happened' or 'happened'.`,
      )
    : undefined;
}

function withData(
  run: Run,
  patch: object | undefined,
): { readonly run: Run; readonly detail: unknown } | ControlRefusal {
  if (patch === undefined) return { run, detail: null };
  if (!isObject(patch) || !isObject(run.data) || !isStorable(JSON.stringify(patch)))
    return refused(
      'data_invalid',
      'The patch of the data is to be a JSON object (RFC 7396) that PostgreSQL can keep.',
    );
  const plain = JSON.parse(JSON.stringify(patch)) as JsonObject;
  const data = mergePatch(run.data, plain);
  return { run: { ...run, data }, detail: { patch: plain, before: patchBack(run.data, plain) } };
}
