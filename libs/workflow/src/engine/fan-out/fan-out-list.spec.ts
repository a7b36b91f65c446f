import { orderDefinition } from '../../../../../test/machine/order-workflow.js';
import type { StepDefinition } from '../../model/definition.js';
import type { Activated } from '../activate/activated.js';
import { FanOutList } from './fan-out-list.js';

interface Held {
  claim: { run: { data: unknown }; steps: readonly never[] };
}

/** The list of a step over items, for a run with the data that is set. */
function listOf(items: (data: { names: unknown[] }) => unknown, data: unknown = { names: ['a', 'b'] }) {
  const held: Held = { claim: { run: { data }, steps: [] } };
  const [first] = orderDefinition().steps;
  const forEach = { items, concurrency: 1, onItemFailure: 'stop' };
  const step = { ...first, name: 'book', forEach } as unknown as StepDefinition;
  return { held, list: new FanOutList(held as unknown as Activated, step) };
}

it('counts a list, and finds each item by its index', () => {
  const { list } = listOf(({ names }) => names);
  expect(list.count()).toBe(2);
  expect([list.at(0, 2), list.at(1, 2)]).toEqual(['a', 'b']);
});

it('takes a number as a count: there are indexes only', () => {
  const { list } = listOf(({ names }) => names.length * 10);
  expect(list.count()).toBe(20);
  expect(list.at(7, 20)).toBeUndefined();
});

it.each([-1, 1.5, Number.NaN, 1_000_001, '3 items', null, undefined])('refuses %p as a count', (answer) => {
  const { list } = listOf(() => answer);
  expect(() => list.count()).toThrow('answer a list, or a whole number, of at most 1000000 items');
});

it('reads the list once for the data as they are known', () => {
  let read = 0;
  const { list, held } = listOf(({ names }) => {
    read++;
    return names;
  });
  list.count();
  list.at(0, 2);
  expect(read).toBe(1);
  held.claim = { run: { data: { names: ['a', 'c'] } }, steps: [] };
  expect(list.at(1, 2)).toBe('c');
  expect(read).toBe(2);
});

it('says what to do when the list is of another length than when the step was begun', () => {
  const { list } = listOf(({ names }) => names);
  expect(() => list.at(0, 3)).toThrow(
    /begun with 3 items, and its list has 2 now. Let forEach.items read what no event changes/,
  );
});

it('lets it change nothing', () => {
  const { list } = listOf(({ names }) => {
    names.push('c');
    return names;
  });
  expect(() => list.count()).toThrow('forEach.items of step book threw');
});
