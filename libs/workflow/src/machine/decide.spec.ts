import { contentDigest } from '@pawl/core';
import {
  ItemAdded,
  OrderAccepted,
  OrderCancelled,
  orderDefinition,
  OrderShipped,
  OrderSubmitted,
  Remark,
} from '../../../../test/machine/order-workflow.js';
import { delivery, MemoryRun } from '../../../../test/machine/memory-run.js';
import type { EventHandler } from '../model/definition.js';
import type { IncomingEvent } from '../model/event.js';
import { runLimits } from './limits.js';

const definition = orderDefinition();

/** A run to which some events were delivered. */
function runAfter(...payloads: object[]): MemoryRun {
  const run = new MemoryRun(definition);
  for (const payload of payloads) run.deliver(delivery(payload));
  return run;
}

function runWithSteps(...payloads: object[]): MemoryRun {
  const run = runAfter(...payloads);
  while (run.step() !== undefined);
  return run;
}

function handlerOf(member: string): EventHandler {
  return definition.handlers.find((one) => one.member === member) as EventHandler;
}

/** The order definition with one handler replaced. */
function replaced(member: string, handler: EventHandler): typeof definition {
  const handlers = definition.handlers.map((one) => (one.member === member ? handler : one));
  return { ...definition, handlers };
}

/** The order definition with one handler changed. */
function changed(member: string, change: Partial<EventHandler>): typeof definition {
  return replaced(member, { ...handlerOf(member), ...change });
}

const submitted = new OrderSubmitted('Ada');
const item = (index: number, sku = `sku-${index}`) => new ItemAdded(index, sku);
const acceptedWith = (count: number) => new OrderAccepted(count);
const remark = new Remark('r1', 'call first');

describe('applied', () => {
  it('starts an awaited run', () => {
    expect(runAfter().decide(delivery(submitted))).toEqual({ verdict: 'applied', rule: 'started' });
  });

  it('accepts what the state takes', () => {
    expect(runAfter(submitted).decide(delivery(item(0)))).toEqual({ verdict: 'applied', rule: 'accepted' });
  });

  it('accepts what the guard lets pass', () => {
    const run = runAfter(submitted, item(1), item(0));
    expect(run.decide(delivery(acceptedWith(2)))).toEqual({ verdict: 'applied', rule: 'accepted' });
  });
});

describe('duplicate', () => {
  it('knows a repeated start', () => {
    expect(runAfter(submitted).deliver(delivery(submitted))).toBe('duplicate start-seen');
  });

  it('knows an item that was applied', () => {
    expect(runAfter(submitted, item(0)).deliver(delivery(item(0)))).toBe('duplicate item-seen');
  });

  it('knows a key that was applied', () => {
    expect(runAfter(submitted, remark).deliver(delivery(remark))).toBe('duplicate key-seen');
  });

  it('knows an event without item and key that was applied, while a state would accept it', () => {
    const { to: _to, ...staying } = handlerOf('shipped');
    const run = new MemoryRun(replaced('shipped', { ...staying, in: ['Accepted'] }));
    for (const payload of [submitted, acceptedWith(0), new OrderShipped('t')]) run.deliver(delivery(payload));
    expect(run.deliver(delivery(new OrderShipped('t')))).toBe('duplicate type-seen');
    expect(run.deliver(delivery(new OrderShipped('other')))).toBe('rejected conflicting-content');
  });

  it('knows an event of which a copy is parked', () => {
    expect(runAfter(item(0)).deliver(delivery(item(0)))).toBe('duplicate already-parked');
  });

  it.each([[submitted], [item(0)], [remark]])('knows %j after the run has ended too', (payload) => {
    const run = runAfter(submitted, item(0), remark, new OrderCancelled());
    expect(run.run.status).toBe('completed');
    expect(run.deliver(delivery(payload))).toMatch(/^duplicate/);
  });

  it('takes other content for the same if the handler says so', () => {
    const same: EventHandler['same'] = (data, event) =>
      (data as { lines: string[] }).lines[(event as ItemAdded).index]?.toLowerCase() ===
      (event as ItemAdded).sku.toLowerCase();
    const run = new MemoryRun(changed('itemAdded', { same }));
    run.deliver(delivery(submitted), delivery(item(0, 'bolt')));
    expect(run.deliver(delivery(item(0, 'BOLT')))).toBe('duplicate item-seen');
    expect(run.deliver(delivery(item(0, 'nut')))).toBe('rejected conflicting-content');
  });
});

describe('late', () => {
  it('answers that the type was applied before', () => {
    const run = runAfter(submitted, acceptedWith(0));
    expect(run.deliver(delivery(acceptedWith(0)))).toBe('late applied-before');
    expect(run.losses).toEqual([]);
  });

  it('notes a loss if it never was', () => {
    const run = runAfter(submitted, acceptedWith(0));
    expect(run.deliver(delivery(new OrderCancelled()))).toBe('late never-applied');
    expect(run.losses).toMatchObject([{ type: 'orders.cancelled', rule: 'never-applied', subject: '' }]);
  });

  it('notes no loss if the handler ignores the late', () => {
    const run = runWithSteps(submitted, acceptedWith(0));
    expect(run.state).toBe('AwaitingShipment');
    expect(run.deliver(delivery(remark))).toBe('late never-applied');
    expect(run.losses).toEqual([]);
  });

  it('takes reachability from the graph, not from the rank', () => {
    const run = runAfter(submitted, new OrderCancelled());
    expect(run.deliver(delivery(new OrderShipped('t')))).toBe('late never-applied');
    const detour = {
      ...definition,
      states: ['Submitted', 'Cancelled', 'Accepted', 'AwaitingShipment', 'Shipped'],
    };
    const other = new MemoryRun({ ...detour, final: ['Shipped'] });
    other.deliver(delivery(submitted), delivery(new OrderCancelled()));
    expect(other.deliver(delivery(new OrderShipped('t')))).toBe('late never-applied');
  });

  it('never starts a run a second time by another start event', () => {
    const two = changed('cancelled', { start: true, in: [], to: 'Submitted' });
    const run = new MemoryRun(two);
    run.deliver(delivery(submitted));
    expect(run.deliver(delivery(new OrderCancelled()))).toBe('late never-applied');
  });

  it.each(['compensating', 'compensated', 'terminated', 'cancelled', 'compensation_failed'] as const)(
    'is what a %s run answers to what is new',
    (status) => {
      const run = runAfter(submitted);
      run.run = { ...run.run, status };
      expect(run.deliver(delivery(item(0)))).toBe('late never-applied');
    },
  );
});

describe('early', () => {
  it('is what a failed run answers to what it could take if somebody redrove it', () => {
    const run = runAfter(submitted);
    run.run = { ...run.run, status: 'failed' };
    expect(run.deliver(delivery(item(0)))).toBe('early run-failed');
  });

  it.each([[item(0)], [remark], [acceptedWith(1)], [new OrderShipped('t')]])(
    'parks %j before the start',
    (payload) => {
      expect(runAfter().deliver(delivery(payload))).toBe('early run-not-started');
    },
  );

  it('parks what a state ahead accepts', () => {
    expect(runAfter(submitted).deliver(delivery(new OrderShipped('t')))).toBe('early state-not-reached');
  });

  it('parks what its guard does not let pass yet', () => {
    expect(runAfter(submitted, item(1)).deliver(delivery(acceptedWith(2)))).toBe('early guard-not-met');
  });
});

describe('rejected', () => {
  const invalid = (payload: unknown, of: object): IncomingEvent =>
    delivery(of, { payload, digest: contentDigest(payload) });

  it('does not know every type', () => {
    const foreign = delivery(submitted, { type: 'billing.paid' });
    expect(runAfter().decide(foreign)).toMatchObject({ verdict: 'rejected', rule: 'unknown-type' });
  });

  it('does not know every version of a type', () => {
    const decision = runAfter().decide(delivery(submitted, { typeVersion: 2 }));
    expect(decision).toMatchObject({ rule: 'unknown-type', detail: expect.stringContaining('only in 1') });
  });

  it('refuses a payload that its schema refuses', () => {
    const decision = runAfter(submitted).decide(invalid({ index: 0 }, item(0)));
    expect(decision).toMatchObject({ rule: 'invalid-payload', detail: expect.stringContaining('sku') });
  });

  it.each([-1, 1.5, '3', null, runLimits.itemIndexMax + 1])('refuses the item index %j', (index) => {
    const decision = runAfter(submitted).decide(invalid({ index, sku: 'a' }, item(0)));
    expect(decision).toMatchObject({ verdict: 'rejected', rule: 'invalid-subject' });
  });

  it.each([undefined, '', 3, 'a\u0000b', '\ud800', 'k'.repeat(runLimits.keyLengthMax + 1)])(
    'refuses the key %j',
    (ref) => {
      const run = new MemoryRun(changed('remark', { problems: () => [] }));
      run.deliver(delivery(submitted));
      expect(run.decide(invalid({ ref }, remark))).toMatchObject({
        verdict: 'rejected',
        rule: 'invalid-subject',
      });
    },
  );

  it('refuses an item beyond the count of an applied event', () => {
    const run = runAfter(submitted, item(0), acceptedWith(1));
    expect(run.deliver(delivery(item(1)))).toBe('rejected index-beyond-count');
  });

  it('refuses an item beyond the count of an event that waits', () => {
    const run = runAfter(submitted, acceptedWith(1));
    expect(run.deliver(delivery(item(1)))).toBe('rejected index-beyond-count');
    expect(run.deliver(delivery(item(0)))).toBe('applied accepted');
    expect(run.state).toBe('Accepted');
  });

  it('refuses a count below an item that was seen', () => {
    const run = runAfter(submitted, item(3));
    expect(run.deliver(delivery(acceptedWith(3)))).toBe('rejected count-below-items');
    expect(run.deliver(delivery(acceptedWith(4)))).toBe('early guard-not-met');
  });

  it.each([-1, 0.5, 'many'])('refuses the count %j', (itemCount) => {
    const decision = runAfter(submitted).decide(invalid({ itemCount }, acceptedWith(0)));
    expect(decision).toMatchObject({ verdict: 'rejected', rule: 'invalid-payload' });
  });

  it.each([
    ['start', [submitted], new OrderSubmitted('Bob')],
    ['item', [submitted, item(0)], item(0, 'other')],
    ['key', [submitted, remark], new Remark('r1', 'ring twice')],
    ['parked item', [item(0)], item(0, 'other')],
    ['parked event', [submitted, acceptedWith(2)], acceptedWith(3)],
  ])('refuses other content of a known %s, and asks for a person', (_kind, before, payload) => {
    const run = runAfter(...before);
    const { data } = run;
    expect(run.deliver(delivery(payload))).toBe('rejected conflicting-content');
    expect(run.run.attention).toMatch(/^conflicting-content: orders\./);
    expect(run.deadLetters).toMatchObject([{ rule: 'conflicting-content' }]);
    expect(run.data).toEqual(data);
  });

  it('refuses what its handler can not fold, and changes nothing', () => {
    const run = runAfter(submitted);
    const { revision, ...before } = run.run;
    expect(run.deliver(delivery(item(0, 'broken')))).toBe('rejected handler-failed');
    expect(run.run).toEqual({ ...before, revision: revision + 1 });
    expect(run.deadLetters).toMatchObject([{ detail: expect.stringContaining('no such article') }]);
    expect(run.deliver(delivery(item(0)))).toBe('applied accepted');
  });

  it('refuses a handler that returns a promise', () => {
    const fold = (async () => undefined) as unknown as EventHandler['fold'];
    const run = new MemoryRun(changed('itemAdded', { fold }));
    run.deliver(delivery(submitted));
    expect(run.deliver(delivery(item(0)))).toBe('rejected handler-failed');
    expect(run.deadLetters).toMatchObject([{ detail: expect.stringContaining('promise') }]);
  });

  it('refuses what its guard throws at', () => {
    const holds = () => {
      throw new Error('guard broke');
    };
    const run = new MemoryRun(changed('accepted', { when: { name: 'g', holds } }));
    run.deliver(delivery(submitted));
    expect(run.deliver(delivery(acceptedWith(0)))).toBe('rejected handler-failed');
  });
});

describe('limits', () => {
  it('parks no more than the run may hold, and decides those again without losing one', () => {
    const run = new MemoryRun(definition);
    run.deliver(...Array.from({ length: runLimits.parkedMax }, (_, n) => delivery(item(n))));
    expect(run.run.parkedCount).toBe(runLimits.parkedMax);
    expect(run.deliver(delivery(item(runLimits.parkedMax)))).toBe('rejected parked-limit');
    expect(run.deliver(delivery(item(0)))).toBe('duplicate already-parked');
    run.deliver(delivery(submitted));
    expect(Object.keys(run.data['lines'] as object)).toHaveLength(runLimits.parkedMax);
    expect(run.run.parkedCount).toBe(0);
  });

  it('keeps a full set of parked events when it decides them again', () => {
    const run = runAfter(submitted);
    for (let n = 0; n < runLimits.parkedMax; n++) {
      run.parked.set(`${n}`, { ...delivery(new OrderShipped('t')), subject: '' });
    }
    run.deliver(delivery(item(0)));
    expect(run.deadLetters).toEqual([]);
  });

  it('keeps item indexes together', () => {
    const items = `{${Array.from({ length: runLimits.itemRangesMax }, (_, n) => `[${2 * n},${2 * n + 1})`).join(',')}}`;
    const run = runAfter(submitted, item(0));
    run.run = {
      ...run.run,
      marks: { ...run.run.marks, 'orders.item-added': { applied: 1, digest: 'd', items } },
    };
    expect(run.deliver(delivery(item(5_000)))).toBe('rejected item-limit');
    expect(run.deliver(delivery(item(1)))).toBe('applied accepted');
  });

  it('keeps no more keys than the run may hold', () => {
    const run = runAfter(submitted);
    const mark = { applied: runLimits.keysMax, digest: 'd' };
    run.run = { ...run.run, marks: { ...run.run.marks, 'orders.remark': mark } };
    expect(run.deliver(delivery(remark))).toBe('rejected key-limit');
  });
});
