import type { Transaction, Transactions } from '@pawl/core';
import { v7 as uuidv7 } from 'uuid';
import type { Hints } from '../../dispatch/hints.js';
import { awaitedRun } from '../../machine/awaited-run.js';
import { type ControlRefusal, refused } from '../../machine/control/control-order.js';
import { foldAgain } from '../../machine/control/fork.js';
import { timersAfter } from '../../machine/timers/timers.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { doneBy, findFork, insertFork, journalUpTo } from '../../store/fork-run.js';
import { lockRun } from '../../store/lock-runs.js';
import { findAction, insertAction } from '../../store/operator-actions.js';
import { changeTimers, recordFailedTimer } from '../../store/timers.js';
import { committedOnce } from '../client/committed-once.js';
import type { ControlAnswer, ControlOptions } from './control.js';
import {
  assertReadable,
  type ControlTarget,
  ID_REUSED,
  lockTarget,
  unknownVersion,
} from './control-office.js';
import { ControlRefusedError } from './control-refused-error.js';
import type { Definitions } from '../definitions.js';

/** Which point of the timeline, and what the new run is called. */
export interface ForkTerms {
  /** The key of the new run. */
  readonly key: string;
  /** Of the last journal entry that the new run shares. */
  readonly revision: number;
}

type Asked = Required<ControlOptions> & ForkTerms;
type Outcome = { readonly answer: ControlAnswer } | { readonly refusal: ControlRefusal; readonly run: Run };

/** Makes runs from points of other ones, in one transaction under the lock of the other one. */
export class ForkOffice {
  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly hints: Hints,
  ) {}

  /** Throws as the orders of `ControlOffice` do. */
  async fork(
    target: ControlTarget,
    { key, revision }: ForkTerms,
    options: ControlOptions,
  ): Promise<ControlAnswer> {
    const asked: Asked = { id: uuidv7(), ...options, key, revision };
    assertReadable(asked);
    const outcome = await committedOnce(this.transactions, async (tx) => this.inOne(tx, target, asked));
    if ('answer' in outcome) return outcome.answer;
    throw new ControlRefusedError(outcome.refusal, outcome.run);
  }

  private async inOne(tx: Transaction, target: ControlTarget, asked: Asked): Promise<Outcome> {
    const { run } = await lockTarget(tx, target);
    const { id, actor, reason, key, revision } = asked;
    const there = await findFork(tx, { workflow: run.workflow, key });
    if (there?.forkedFrom === run.id) return answerOf(tx, there.id, false);
    if (await findAction(tx, id)) return { refusal: ID_REUSED, run };
    const definition = this.definitions.of(run);
    const made = definition ? await this.make(tx, definition, run, asked) : unknownVersion(run);
    const isRefused = 'code' in made;
    await insertAction(tx, {
      id,
      runId: run.id,
      action: 'fork',
      actor,
      reason,
      detail: { key, revision, ...(isRefused ? { refusal: made.reason } : { forkedTo: made.id }) },
      outcome: isRefused ? made.code : 'done',
    });
    return isRefused ? { refusal: made, run } : answerOf(tx, made.id, true);
  }

  private async make(
    tx: Transaction,
    definition: Definition,
    from: Run,
    { key, revision, actor, reason }: Asked,
  ): Promise<Run | ControlRefusal> {
    if (!Number.isInteger(revision) || revision < 1 || revision > from.revision)
      return refused('fork_point', `The timeline of the run has the revisions 1 to ${from.revision}.`);
    const fresh = awaitedRun({ id: uuidv7(), workflow: from.workflow, key });
    const journal = await journalUpTo(tx, from.id, revision);
    const done = await doneBy(tx, from.id, revision);
    const again = foldAgain(definition, { ...fresh, round: from.round }, journal, done);
    if ('code' in again) return again;
    const steps = done.map(({ name }) => name);
    if (!(await insertFork(tx, from, again.run, { steps, text: `${actor}: ${reason}` })))
      return refused('key_taken', `There is another run of ${from.workflow} with the key ${key}.`);
    const { failed, ...timers } = timersAfter(definition, fresh, again.run);
    await changeTimers(tx, again.run, timers);
    for (const one of failed) await recordFailedTimer(tx, again.run.id, one);
    if (again.run.status === 'running') this.hints.afterCommit(tx, { runId: again.run.id, dispatch: 0 });
    return again.run;
  }
}

async function answerOf(tx: Transaction, runId: string, changed: boolean): Promise<Outcome> {
  const { status = 'running', state = null } = (await lockRun(tx, runId))?.run ?? {};
  return { answer: { runId, status, state, changed, left: [] } };
}
