import type { ItemDue } from '../../machine/steps/items.js';
import type { NextMove } from '../../machine/steps/next-move.js';
import type { StepDefinition } from '../../model/definition.js';
import type { RetryPolicy } from '../../model/retry-policy.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Attempted } from '../attempt/attempt.js';
import type { StepCall } from '../attempt/step-call.js';

/** What is worked on, item by item: a step over items, or the undoing of one. */
export interface FanOutItems {
  /** Names the head row, with the run as it was when this claim began. */
  readonly head: AttemptAt;
  readonly step: StepDefinition;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  /** Items at work at a time. */
  readonly concurrency: number;
  /** Whether items may share a transaction. */
  readonly together: boolean;
  /** The next ones that nobody has begun, at most `most`; none: there are no more. */
  readonly more: (most: number) => Promise<readonly ItemDue[]>;
  /** What is known of an item now; undefined: the run is lost, or has moved. */
  readonly now: (item: ItemDue) => Promise<ItemDue | undefined>;
  readonly moveOf: (item: ItemDue) => NextMove;
  readonly waitOf: (item: ItemDue) => number;
  readonly attempted: (index: number) => Attempted;
  /** @throws what makes the attempt fail before it begins */
  readonly callOf: (item: ItemDue) => Pick<StepCall, 'perform' | 'besides' | 'item'>;
  /** What is left of the time for all attempts; undefined: there is no limit. Milliseconds. */
  readonly timeLeftMs: () => number | undefined;
  /** Whether the run is still where its items are at work. */
  readonly goesOn: () => boolean;
}
