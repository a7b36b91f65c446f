import { canonicalJson, PawlError, type Transaction, type Transactions } from '@pawl/core';
import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { Hints } from '../../dispatch/hints.js';
import { control } from '../../machine/control/control.js';
import {
  type ControlChange,
  type Controlled,
  type ControlRefusal,
  type ControlOrder,
  type EffectLeft,
  refused,
  type RefusalCode,
} from '../../machine/control/control-order.js';
import { hasEnded } from '../../machine/position.js';
import { isStorable } from '../../machine/storable.js';
import { timersAfter } from '../../machine/timers/timers.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { controlFacts } from '../../store/control-facts.js';
import { writeControl } from '../../store/control-run.js';
import { type LockedRun, lockKnownRun, lockRun, type RunAddress } from '../../store/lock-runs.js';
import { findAction, insertAction, type OperatorAction } from '../../store/operator-actions.js';
import { retractStepLoss } from '../../store/step-losses.js';
import { changeTimers, recordFailedTimer } from '../../store/timers.js';
import { idempotencyKeyOf } from '../attempt/attempt.js';
import { committedOnce } from '../client/committed-once.js';
import type { ControlAnswer, ControlOptions } from './control.js';
import { ControlRefusedError } from './control-refused-error.js';
import type { Definitions } from '../definitions.js';
import type { RunAdvancer } from '../receive/run-advancer.js';
import { RunNotFoundError } from '../client/run-not-found-error.js';

/** A run by its id, or by what its users know. */
export type ControlTarget = RunAddress | { readonly runId: string };

type Asked = Required<ControlOptions> & { readonly order: ControlOrder };

/** What one transaction has decided, the refusals too: that they were asked for is kept. */
type Outcome =
  | { readonly kind: 'answered'; readonly answer: ControlAnswer }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason: string; readonly run: Run };

/**
 * Carries out what people ask of runs: under the run's lock the pure machine decides, and run, steps, journal and the record of who asked are written in
 * the same transaction. Nothing is left half done by a crash.
 */
export class ControlOffice {
  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly advancer: RunAdvancer,
    private readonly hints: Hints,
  ) {}

  /** @throws ControlRefusedError, PawlError `run_not_found`, `control_invalid`, BusyError, CommitUnknownError */
  async carryOut(
    target: ControlTarget,
    order: ControlOrder,
    options: ControlOptions,
  ): Promise<ControlAnswer> {
    const asked: Asked = { id: uuidv7(), ...options, order };
    assertReadable(asked);
    const outcome = await committedOnce(this.transactions, async (tx) => this.inOne(tx, target, asked));
    if (outcome.kind === 'answered') return outcome.answer;
    throw new ControlRefusedError(outcome, outcome.run);
  }

  private async inOne(tx: Transaction, target: ControlTarget, asked: Asked): Promise<Outcome> {
    const locked = await lockTarget(tx, target);
    const earlier = await findAction(tx, asked.id);
    if (earlier) return repeated(locked.run, earlier, asked);
    const definition = this.definitions.of(locked.run);
    const decided = definition
      ? await this.decide(tx, definition, locked, asked)
      : unknownVersion(locked.run);
    const { id: runId } = locked.run;
    const { outcome, detail } = recordOf(decided, asked);
    const { id, actor, reason, order } = asked;
    const action: OperatorAction = { id, runId, action: order.action, actor, reason, detail, outcome };
    if (!(await insertAction(tx, action))) throw new ControlRefusedError(ID_REUSED, locked.run);
    const run = (await lockRun(tx, runId))?.run ?? locked.run;
    if (decided.kind === 'refused') return { ...decided, run };
    const isChange = decided.kind === 'changed';
    return answered(run, { changed: isChange, left: isChange ? decided.left : [] });
  }

  private async decide(
    tx: Transaction,
    definition: Definition,
    locked: LockedRun,
    { order, actor, reason }: Asked,
  ): Promise<Controlled> {
    const run = await this.upToDate(tx, locked);
    const facts = await controlFacts(tx, run.id);
    const decided = control(definition, run, facts, { order, actor, reason });
    if (decided.kind === 'changed') await this.write(tx, definition, run, decided);
    return decided;
  }

  /** What came before the order is decided before it: timers that are due, and events that nobody has decided. */
  private async upToDate(tx: Transaction, locked: LockedRun): Promise<Run> {
    const { run, timerDue, undecided } = locked;
    if (run.status === 'awaited' || !(timerDue || undecided)) return run;
    await this.advancer.advance(tx, locked, []);
    return (await lockRun(tx, run.id))?.run ?? run;
  }

  private async write(
    tx: Transaction,
    definition: Definition,
    before: Run,
    change: ControlChange,
  ): Promise<void> {
    const { run, steps } = change;
    const keyOf = (name: string, generation: number): string =>
      idempotencyKeyOf(run, { name, item: -1, generation });
    const { due, dispatch } = await writeControl(tx, change, keyOf);
    for (const { record } of steps) {
      if (record.status !== 'lost') continue;
      await retractStepLoss(tx, {
        name: record.name,
        item: -1,
        idempotencyKey: keyOf(record.name, record.generation),
      });
    }
    await this.writeTimers(tx, definition, before, run);
    // What waits with the run may be accepted now, or late.
    const after = await lockRun(tx, run.id);
    if (after) await this.advancer.advance(tx, { ...after, timerDue: false, undecided: false }, []);
    if (due) this.hints.afterCommit(tx, { runId: run.id, dispatch });
  }

  private async writeTimers(tx: Transaction, definition: Definition, before: Run, after: Run): Promise<void> {
    if (hasEnded(after)) return changeTimers(tx, after, { keep: 'none', cancel: [], start: [] });
    const { failed, ...timers } = timersAfter(definition, before, after);
    await changeTimers(tx, after, timers);
    for (const one of failed) await recordFailedTimer(tx, after.id, one);
  }
}

/** @throws PawlError `run_not_found` */
export async function lockTarget(tx: Transaction, target: ControlTarget): Promise<LockedRun> {
  if ('key' in target) {
    const locked = await lockKnownRun(tx, target);
    if (locked === undefined) throw new RunNotFoundError(target);
    return locked;
  }
  const locked = await lockRun(tx, target.runId);
  if (locked === undefined)
    throw new PawlError('run_not_found', `There is no run ${target.runId}.`, { ...target });
  return locked;
}

function answered(run: Run, answer: Pick<ControlAnswer, 'changed' | 'left'>): Outcome {
  const { id: runId, status, state } = run;
  return { kind: 'answered', answer: { runId, status, state, ...answer } };
}

/** Under its id an order is answered as the first time; only status and state are those of now. */
function repeated(run: Run, earlier: OperatorAction, { order }: Asked): Outcome {
  if (earlier.runId !== run.id || earlier.action !== order.action) return { ...ID_REUSED, run };
  const { changed = false, left = [], refusal = '', ...terms } = earlier.detail as RecordedAnswer;
  if (canonicalJson(terms) !== canonicalJson(termsOf(order))) return { ...ID_REUSED, run };
  if (earlier.outcome === 'done') return answered(run, { changed, left });
  return { kind: 'refused', code: earlier.outcome as RefusalCode, reason: refusal, run };
}

interface RecordedAnswer {
  readonly changed?: boolean;
  readonly left?: readonly EffectLeft[];
  readonly refusal?: string;
}

function recordOf(decided: Controlled, { order }: Asked): Pick<OperatorAction, 'outcome' | 'detail'> {
  const terms = termsOf(order);
  if (decided.kind === 'refused')
    return { outcome: decided.code, detail: { ...terms, refusal: decided.reason } };
  const changed = decided.kind === 'changed';
  const left = changed && decided.left.length > 0 ? { left: decided.left } : {};
  return { outcome: 'done', detail: { ...terms, changed, ...left } };
}

/** What was asked for beyond the action, as the database gives it back. */
function termsOf(order: ControlOrder): object {
  const { action: _, ...terms } = order;
  const json = JSON.stringify(terms);
  return isStorable(json) ? (JSON.parse(json) as object) : {};
}

export const ID_REUSED = refused('id_reused', 'Another order was given under this id.');

export function unknownVersion({ workflow, version }: Run): ControlRefusal {
  return refused(
    'version_unknown',
    `This process does not have version ${version} of ${workflow}; ask one that has, or deploy its class again.`,
  );
}

/** @throws PawlError `control_invalid` */
export function assertReadable({ id, actor, reason }: Required<ControlOptions>): void {
  const problems = [
    ...(isUuid(id) ? [] : ['id is to be a UUID']),
    ...(isText(actor, ACTOR_LENGTH_MAX)
      ? []
      : [`actor is to be a text of 1 to ${ACTOR_LENGTH_MAX} characters`]),
    ...(isText(reason, REASON_LENGTH_MAX)
      ? []
      : [`reason is to be a text of 1 to ${REASON_LENGTH_MAX} characters`]),
  ];
  if (problems.length > 0) throw new PawlError('control_invalid', `${problems.join('; ')}.`, { problems });
}

/** Without what PostgreSQL keeps in no text. */
function isText(text: unknown, lengthMax: number): boolean {
  return (
    typeof text === 'string' &&
    text.trim() !== '' &&
    text.length <= lengthMax &&
    !/[\0\p{Surrogate}]/u.test(text)
  );
}

const ACTOR_LENGTH_MAX = 200;
const REASON_LENGTH_MAX = 1_000;
