import { crashPoint } from '@pawl/core';
import type { Undoing } from '../../machine/steps/undo.js';
import type { CompensationDefinition } from '../../model/definition.js';
import type { CompensationContext } from '../../model/step-context.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Activated } from '../activate/activated.js';
import { attemptedUndo, finishedStep, idempotencyKeyOf } from './attempt.js';
import { attemptsSpent, outputsOf } from '../activate/claim-view.js';
import type { ExternalStep } from './external-step.js';
import type { StepCall } from './step-call.js';
import type { StepCloser } from './step-closer.js';
import type { StepsClosed } from './step-outcome.js';
import type { TransactionalSteps } from './transactional-steps.js';

/** Undoes what a step has done, or may have done: under a key of its own, recorded and tried again as a step is. */
export class Compensation {
  constructor(
    private readonly transactional: TransactionalSteps,
    private readonly external: ExternalStep,
    private readonly closer: StepCloser,
  ) {}

  /** Throws as steps do: StepFailedError, Refusal, CommitUnknownError. */
  async run(
    activated: Activated,
    undoing: Undoing,
    definition: CompensationDefinition,
    at: AttemptAt,
  ): Promise<StepsClosed> {
    const call = { timeoutMs: definition.timeoutMs, ...compensationCall(activated, definition, undoing) };
    const closed = await (definition.effect === 'external'
      ? this.external.perform(activated, {
          at,
          terms: { timeoutMs: definition.timeoutMs, noReturn: false },
          call,
          close: (tx, work) => this.closer.closeUndo(tx, activated, work),
        })
      : this.inOneTransaction(activated, undoing, call));
    crashPoint('undo.after-commit');
    return closed;
  }

  private async inOneTransaction(
    activated: Activated,
    undoing: Undoing,
    call: Pick<StepCall, 'timeoutMs' | 'perform' | 'besides'>,
  ): Promise<StepsClosed> {
    const { claim, held } = activated;
    const attempted = attemptedUndo(undoing);
    const attempts = attemptsSpent(claim, attempted) + 1;
    return this.transactional.transact(
      activated,
      call.timeoutMs,
      async (tx) => {
        const { output, messages } = await this.transactional.call(tx, {
          ...call,
          attempted,
          run: claim.run,
          outputs: outputsOf(claim),
          attempt: attempts,
          signal: held.signal,
        });
        return { finished: [finishedStep(activated, attempted, { attempts, output })], messages };
      },
      (tx, work) => this.closer.closeUndo(tx, activated, work),
    );
  }
}

/**
 * How the compensation of an effect is called.
 * @param item of a step that runs for each item: the index of the one that is undone, whose record `undoing` has
 */
export function compensationCall(
  activated: Activated,
  { run }: Pick<CompensationDefinition, 'run'>,
  undoing: Undoing,
  item = -1,
): Required<Pick<StepCall, 'perform' | 'besides'>> {
  return {
    // It has what `besides` adds by the time it is called.
    perform: (context) => run(context as CompensationContext<unknown, unknown>),
    besides: whatIsKnown(activated, undoing, item),
  };
}

/** What the compensation is told of the effect: what the step returned, or that nobody knows whether it happened. */
function whatIsKnown({ claim }: Activated, { step, record }: Undoing, item: number): object {
  const undoneKey = idempotencyKeyOf(claim.run, { name: step.name, item, generation: record.generation });
  return record.status === 'done'
    ? { outcome: 'done', output: record.output, undoneKey }
    : { outcome: 'unknown', output: undefined, undoneKey };
}
