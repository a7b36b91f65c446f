import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import type { StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';
import type { Undoing } from '../../machine/steps/undo.js';
import type { FinishedStep } from '../../store/close-steps.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import { recordOf } from '../activate/claim-view.js';
import type { Activated } from '../activate/activated.js';

/** What is tried: a step, one item of a step, or the compensation of one. Its record is named by this. */
export interface Attempted {
  readonly kind: StepRecord['kind'];
  readonly name: string;
  /** Of a compensation: its step. */
  readonly undoes: string | null;
  /** -1 for one that runs once. */
  readonly item: number;
  readonly generation: number;
  readonly effect: 'transactional' | 'external';
}

/** A step as it is tried now: in its newest generation. */
export function attemptedStep({ claim }: Activated, step: StepDefinition, item = -1): Attempted {
  const generation = recordOf(claim, step)?.generation ?? 0;
  return { kind: 'step', name: step.name, undoes: null, item, generation, effect: step.effect };
}

/** The compensation of what a step has done, or may have done. */
export function attemptedUndo({ step, record }: Undoing, item = -1): Attempted {
  const { name = step.name, effect = step.effect } = step.compensation ?? {};
  return { kind: 'compensation', name, undoes: step.name, item, generation: record.generation, effect };
}

/** One attempt, under the claim that makes it. */
export function attemptAt({ claim, held }: Activated, attempted: Attempted): AttemptAt {
  return {
    ...attempted,
    run: claim.run,
    fencingToken: held.fencingToken,
    attemptId: uuidv7(),
    idempotencyKey: idempotencyKeyOf(claim.run, attempted),
  };
}

/** The record of an attempt that has ended well. */
export function finishedStep(
  { claim }: Activated,
  { kind, name, undoes, item, generation, effect }: Attempted,
  { attempts, output, attemptId = uuidv7() }: { attempts: number; output: unknown; attemptId?: string },
): FinishedStep {
  const idempotencyKey = idempotencyKeyOf(claim.run, { name, item, generation });
  return { kind, name, undoes, item, generation, effect, attempts, attemptId, idempotencyKey, output };
}

/** The same for every attempt, process and deploy; another one for each item and generation. */
export function idempotencyKeyOf(
  run: Pick<Run, 'id' | 'round'>,
  { name, item, generation }: Pick<Attempted, 'name' | 'item' | 'generation'>,
): string {
  return uuidv5(`${run.id}/${run.round}/${name}${suffix(item, generation)}`, STEP_NAMESPACE);
}

/** Id of the n-th message that an attempt sends: the same for every attempt, so a message sent twice is one. */
export function messageIdOf(
  run: Pick<Run, 'id' | 'round'>,
  { name, item, generation }: Pick<Attempted, 'name' | 'item' | 'generation'>,
  n: number,
): string {
  const again = generation === 0 ? '' : `/${generation}`;
  return uuidv5(`${run.id}/${run.round}/${name}/${item}${again}/${n}`, STEP_NAMESPACE);
}

function suffix(item: number, generation: number): string {
  return item === -1 && generation === 0 ? '' : `/${item}/${generation}`;
}

const STEP_NAMESPACE = 'a4a7c5f0-6f5e-5d0c-9c68-1f5a2b7c9d10';
