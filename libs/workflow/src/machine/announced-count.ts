import type { Definition, EventHandler } from '../model/definition.js';
import type { Run } from '../model/run.js';
import type { Decision } from '../model/verdict.js';
import type { Facts } from './facts.js';
import { runLimits } from './limits.js';
import { itemsOf, markOf } from './marks.js';
import type { Recognised } from './recognise.js';
import { isCount } from './subject.js';
import { callUserCode } from './user-code.js';

/** The verdict on an event that contradicts the announced number of items, from either side. */
export function countConflict(
  definition: Definition,
  run: Run,
  recognised: Recognised,
  facts: Facts,
): Decision | undefined {
  return itemBeyondCount(definition, run, recognised, facts) ?? countBelowItems(run, recognised);
}

function itemBeyondCount(
  definition: Definition,
  run: Run,
  { event, subject }: Recognised,
  facts: Facts,
): Decision | undefined {
  if (subject.kind !== 'item') return undefined;
  const count = announcedCount(definition, run, event.type, facts);
  if (count === undefined || subject.index < count) return undefined;
  const detail = `item ${subject.index}, but ${count} items were announced`;
  return { verdict: 'rejected', rule: 'index-beyond-count', detail };
}

function countBelowItems(run: Run, { event, handler }: Recognised): Decision | undefined {
  const items = handler.when?.announces?.type;
  if (items === undefined) return undefined;
  const count = countOf(handler, event.payload);
  if (!isCount(count, runLimits.itemIndexMax + 1)) {
    return { verdict: 'rejected', rule: 'invalid-payload', detail: `${String(count)} is no number of items` };
  }
  const { end } = itemsOf(markOf(run, items));
  if (end <= count) return undefined;
  return {
    verdict: 'rejected',
    rule: 'count-below-items',
    detail: `item ${end - 1} was seen, ${count} announced`,
  };
}

/** By an event applied before, else by one that waits. */
function announcedCount(definition: Definition, run: Run, items: string, facts: Facts): number | undefined {
  const applied = markOf(run, items).count;
  if (applied !== undefined) return applied;
  const announcing = definition.handlers.filter((handler) => handler.when?.announces?.type === items);
  for (const waiting of facts.parked) {
    const handler = announcing.find((h) => h.type === waiting.type && h.typeVersion === waiting.typeVersion);
    if (handler) return countOf(handler, waiting.payload);
  }
  return undefined;
}

function countOf({ when, member }: EventHandler, payload: unknown): number {
  return callUserCode(`${member}'s item count`, () => when?.announces?.count(payload) ?? 0);
}
