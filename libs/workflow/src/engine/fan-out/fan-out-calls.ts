import type { ItemDue } from '../../machine/steps/items.js';
import { giveUpItem } from '../../store/items.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Failing } from '../attempt/failures.js';
import type { FanOutItems } from './fan-out-items.js';
import { type StepCall, StepFailedError } from '../attempt/step-call.js';

/** The item that gives up is counted in the head row, and nothing becomes of the run by it alone. */
export function failingItem({ retry, step, head }: FanOutItems, { record }: ItemDue, at: AttemptAt): Failing {
  return {
    at,
    retry,
    deadlineMs: undefined,
    record,
    // Whether the run can be undone follows from the step as a whole.
    ...(head.kind === 'step' && { step: { ...step, noReturn: false } }),
    consequence: () => ({ runStatus: null, attention: null }),
    givenUp: async (tx) => giveUpItem(tx, { ...head, item: at.item }),
  };
}

/** A question does not fail because the item can not be read: it is told its index. */
export function itemOf(items: FanOutItems, item: ItemDue): unknown {
  try {
    return items.callOf(item).item;
  } catch {
    return undefined;
  }
}

/** @throws StepFailedError: the item is not there any more */
export function itemCall(items: FanOutItems, item: ItemDue): Pick<StepCall, 'perform' | 'besides' | 'item'> {
  try {
    return items.callOf(item);
  } catch (error) {
    throw new StepFailedError(items.head.name, error);
  }
}
