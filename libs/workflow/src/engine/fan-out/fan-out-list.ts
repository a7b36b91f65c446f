import { PawlError } from '@pawl/core';
import { PermanentError } from '../../machine/steps/permanent-error.js';
import { callUserCode } from '../../machine/user-code.js';
import type { StepDefinition } from '../../model/definition.js';
import type { Activated } from '../activate/activated.js';
import { outputsOf } from '../activate/claim-view.js';
import { freezeDeep } from '../attempt/freeze-deep.js';

/** Items that one step may run for. */
const ITEMS_MAX = 1_000_000;

/** The list of items changed while they were at work. */
export class ItemsChangedError extends PawlError {
  constructor(step: string, details: { readonly total: number; readonly now: number }) {
    const { total, now } = details;
    super(
      'items_changed',
      `Step ${step} was begun with ${total} items, and its list has ${now} now. Let forEach.items read what no event changes while the step is ` +
        'at work, or count them and look each up by its index.',
      { step, ...details },
    );
  }
}

/** The items of one step, as its workflow names them. They are kept nowhere: each attempt reads its own from the run's data. */
export class FanOutList {
  private known: { readonly data: unknown; readonly items: readonly unknown[] | number } | undefined;

  constructor(
    private readonly activated: Activated,
    private readonly step: StepDefinition,
  ) {}

  /**
   * How many there are.
   * @throws PermanentError if that is no number of items; UserCodeError
   */
  count(): number {
    const items = this.read();
    const count = typeof items === 'number' ? items : items.length;
    if (Number.isInteger(count) && count >= 0 && count <= ITEMS_MAX) return count;
    throw new PermanentError(
      `forEach.items of step ${this.step.name} answered ${count}; answer a list, or a whole number, of at most ${ITEMS_MAX} items.`,
    );
  }

  /**
   * The item at an index; undefined if the workflow only counts them.
   * @param total how many there were when the step was begun
   * @throws ItemsChangedError, UserCodeError
   */
  at(index: number, total: number): unknown {
    const items = this.read();
    const now = typeof items === 'number' ? items : items.length;
    if (now !== total) throw new ItemsChangedError(this.step.name, { total, now });
    return typeof items === 'number' ? undefined : items[index];
  }

  /** Once for the data as they are known. */
  private read(): readonly unknown[] | number {
    const { claim } = this.activated;
    const { data } = claim.run;
    if (this.known && this.known.data === data) return this.known.items;
    const outputs = outputsOf(claim);
    // What it changed there would be gone after a crash, and there without one.
    freezeDeep([data, outputs]);
    const answer = callUserCode<unknown>(`forEach.items of step ${this.step.name}`, () =>
      this.step.forEach?.items(data, outputs),
    );
    const items = Array.isArray(answer) ? (answer as readonly unknown[]) : Number(answer ?? Number.NaN);
    freezeDeep(items);
    this.known = { data, items };
    return items;
  }
}
