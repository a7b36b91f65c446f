import {
  ItemAdded,
  OrderAccepted,
  OrderCancelled,
  orderDefinition,
  OrderShipped,
  OrderSubmitted,
  Remark,
  shipping,
} from '../../../../test/machine/order-workflow.js';
import { delivery, MemoryRun } from '../../../../test/machine/memory-run.js';
import type { DueTimer } from '../model/event.js';
import { advance } from './advance.js';

const definition = orderDefinition();
const submitted = new OrderSubmitted('Ada');
const item = (index: number, sku = `sku-${index}`) => new ItemAdded(index, sku);
const acceptedWith = (count: number) => new OrderAccepted(count);
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 12, minutes));

function runAfter(...payloads: object[]): MemoryRun {
  const run = new MemoryRun(definition);
  for (const payload of payloads) run.deliver(delivery(payload));
  return run;
}

function expiry(minutes: number, change: Partial<DueTimer> = {}): DueTimer {
  return { member: 'expired', state: 'Submitted', round: 0, fireAt: at(minutes), ...change };
}

describe('a change', () => {
  it('starts a run: version, position, data, mark, journal', () => {
    const run = runAfter(submitted);
    expect(run.run).toMatchObject({ version: 1, status: 'waiting', state: 'Submitted', revision: 1 });
    expect(run.data).toEqual({ customer: 'Ada', lines: {}, remarks: {} });
    expect(run.run.marks).toMatchObject({ 'orders.submitted': { applied: 1 } });
    expect(run.journal).toMatchObject([
      {
        revision: 1,
        kind: 'event',
        name: 'orders.submitted',
        verdict: 'applied',
        rule: 'started',
        source: 'test',
      },
    ]);
  });

  it('leaves what it was given as it was', () => {
    const run = runAfter(submitted).run;
    const before = JSON.stringify(run);
    const event = delivery(item(0));
    const change = advance(definition, run, { inputs: [event], parked: [], known: () => undefined });
    expect(change.run.revision).toBe(2);
    expect(JSON.stringify(run)).toBe(before);
    expect(event.payload).toEqual({ index: 0, sku: 'sku-0' });
  });

  it('is running where there are steps, completed where the state is final', () => {
    const run = runAfter(submitted, acceptedWith(0));
    expect(run.run).toMatchObject({ state: 'Accepted', status: 'running' });
    expect(runAfter(submitted, new OrderCancelled()).run).toMatchObject({
      state: 'Cancelled',
      status: 'completed',
    });
  });

  it('says whether the run moved', () => {
    const { run } = runAfter(submitted);
    const facts = { parked: [], known: () => undefined };
    expect(advance(definition, run, { inputs: [delivery(item(0))], ...facts }).moved).toBe(false);
    expect(advance(definition, run, { inputs: [delivery(acceptedWith(0))], ...facts }).moved).toBe(true);
  });

  it('keeps in data what a database would keep', () => {
    const handlers = definition.handlers.map((one) =>
      one.member === 'itemAdded'
        ? {
            ...one,
            fold: (data: unknown) => Object.assign(data as object, { at: at(0), gone: undefined }) as never,
          }
        : one,
    );
    const run = new MemoryRun({ ...definition, handlers });
    run.deliver(delivery(submitted));
    const change = advance(run.definition, run.run, {
      inputs: [delivery(item(0))],
      parked: [],
      known: () => undefined,
    });
    expect(change.run.data).toHaveProperty('at', '2026-01-01T12:00:00.000Z');
    expect(change.run.data).not.toHaveProperty('gone');
  });

  it('forwards and journals an event as it came, whatever its handler does to it', () => {
    const fold = (_data: unknown, event: unknown) => void Object.assign(event as object, { customer: 'Eve' });
    const handlers = definition.handlers.map((one) => (one.start ? { ...one, fold } : one));
    const run = new MemoryRun({ ...definition, handlers });
    run.deliver(delivery(submitted));
    expect([run.messages[0]?.payload, run.journal[0]?.payload]).toEqual([
      { customer: 'Ada' },
      { customer: 'Ada' },
    ]);
  });

  it('is refused for the definition of another version', () => {
    const { run } = runAfter(submitted);
    const next = { ...definition, version: 2 };
    expect(() => advance(next, run, { inputs: [], parked: [], known: () => undefined })).toThrow(
      'own definition',
    );
  });

  it('counts duplicates and lates, and journals the other verdicts', () => {
    const run = runAfter(
      submitted,
      submitted,
      new OrderShipped('t'),
      item(0, 'broken'),
      new OrderCancelled(),
      item(1),
    );
    const verdicts = run.journal.map(({ verdict }) => verdict);
    expect(verdicts).toEqual(['applied', 'early', 'rejected', 'applied']);
    expect(run.journal.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(run.repeats.map(({ verdict, subject }) => `${verdict} ${subject}`)).toEqual([
      'duplicate ',
      'late ',
      'late item:1',
    ]);
  });

  it('answers one receipt per event, in the order given, with the state it led to', () => {
    const run = runAfter(submitted);
    const [second, first] = [
      delivery(acceptedWith(1), { receivedAt: at(2) }),
      delivery(item(0), { receivedAt: at(1) }),
    ];
    expect(run.receive(second, first)).toMatchObject([
      { verdict: 'applied', runId: run.run.id, key: 'A-1', state: 'Accepted', status: 'running' },
      { verdict: 'applied', state: 'Submitted', status: 'waiting' },
    ]);
  });

  it('forwards what is applied, once, under an id that follows from the journal', () => {
    const [one, other] = [runAfter(submitted), runAfter(submitted, submitted)];
    expect(one.messages).toEqual(other.messages);
    expect(one.messages).toMatchObject([
      { route: shipping, type: 'orders.submitted', version: 1, key: 'A-1', payload: { customer: 'Ada' } },
    ]);
    one.deliver(delivery(item(0)), delivery(acceptedWith(3)));
    expect(one.messages.map(({ type }) => type)).toEqual(['orders.submitted', 'orders.item-added']);
    expect(new Set(one.messages.map(({ id }) => id)).size).toBe(2);
  });
});

describe('parked events', () => {
  it('are decided again after a change without a transition (D4)', () => {
    const run = runAfter(submitted, item(1), acceptedWith(2));
    expect(run.run).toMatchObject({ state: 'Submitted', parkedCount: 1 });
    expect(run.receive(delivery(item(0)))).toMatchObject([{ verdict: 'applied', state: 'Accepted' }]);
    expect(run.run.parkedCount).toBe(0);
    expect(run.parked.size).toBe(0);
  });

  it('are decided in one order, whatever the order of their arrival', () => {
    const events = [
      acceptedWith(11),
      item(10),
      ...[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => item(n)),
      new Remark('r', 't'),
    ];
    const orders = [events, events.toReversed()].map((arriving) => {
      const run = runAfter(...arriving, submitted);
      return run.journal
        .filter(({ verdict }) => verdict === 'applied')
        .map(({ subject, name }) => subject || name);
    });
    const items = Array.from({ length: 11 }, (_, n) => `item:${n}`);
    expect(orders[0]).toEqual(['orders.submitted', ...items, 'key:r', 'orders.accepted']);
    expect(orders[1]).toEqual(orders[0]);
  });

  it('are decided until none is left that could be applied, whatever is declared first', () => {
    const run = new MemoryRun({ ...definition, handlers: definition.handlers.toReversed() });
    for (const payload of [acceptedWith(2), item(0), item(1), submitted]) run.deliver(delivery(payload));
    expect(run.run).toMatchObject({ state: 'Accepted', parkedCount: 0 });
  });

  it('are decided after a timer', () => {
    const run = runAfter(submitted, new OrderShipped('t'));
    run.receive(expiry(30));
    expect(run.parked.size).toBe(0);
    expect(run.losses).toMatchObject([{ type: 'shipping.shipped' }]);
  });

  it('are decided after a step', () => {
    const run = runAfter(submitted, acceptedWith(0), new OrderShipped('t'));
    expect([run.step(), run.step(), run.step(), run.step()]).toEqual([
      'reserveStock',
      'charge',
      'releaseForShipment',
      undefined,
    ]);
    expect(run.run).toMatchObject({ state: 'Shipped', status: 'completed', parkedCount: 0 });
  });

  it('are journaled when parked and when applied, not in between', () => {
    const run = runAfter(new OrderShipped('t'), submitted, item(0), acceptedWith(1));
    while (run.step() !== undefined);
    const shipped = run.journal.filter(({ name }) => name === 'shipping.shipped');
    expect(shipped.map(({ rule }) => rule)).toEqual(['run-not-started', 'accepted']);
    expect(shipped[0]?.eventId).toBe(shipped[1]?.eventId);
  });

  it('are late, and a loss, when the run ends without them', () => {
    const run = runAfter(submitted, new OrderShipped('t'), new OrderCancelled());
    expect(run.parked.size).toBe(0);
    expect(run.losses).toMatchObject([{ type: 'shipping.shipped', rule: 'never-applied' }]);
  });

  it('mark nothing: an item that is dropped counts as missing, its correction is applied (D14)', () => {
    const run = runAfter(item(0, 'broken'), acceptedWith(1), submitted);
    expect(run.deadLetters).toMatchObject([{ subject: 'item:0', rule: 'handler-failed' }]);
    expect(run.state).toBe('Submitted');
    expect(run.deliver(delivery(item(0, 'mended')))).toBe('applied accepted');
    expect(run.state).toBe('Accepted');
    expect(run.data['lines']).toEqual({ 0: 'mended' });
  });

  it('that were parked and taken by one change are neither parked nor unparked', () => {
    const run = new MemoryRun(definition);
    run.receive(delivery(item(0), { receivedAt: at(1) }), delivery(submitted, { receivedAt: at(2) }));
    expect(run.data['lines']).toEqual({ 0: 'sku-0' });
    expect(run.parked.size).toBe(0);
  });

  it('know the keys that the same change has applied', () => {
    const run = runAfter(submitted);
    run.receive(
      delivery(new Remark('r', 't')),
      delivery(new Remark('r', 't')),
      delivery(new Remark('r', 'other')),
    );
    expect(run.keys.size).toBe(1);
    expect(run.repeats).toMatchObject([{ rule: 'key-seen' }]);
    expect(run.deadLetters).toMatchObject([{ rule: 'conflicting-content' }]);
  });
});

describe('timers', () => {
  it('move the run, and are journaled', () => {
    const run = runAfter(submitted);
    run.receive(expiry(30));
    expect(run.run).toMatchObject({ state: 'Cancelled', status: 'completed' });
    expect(run.journal.at(-1)).toMatchObject({
      kind: 'timer',
      name: 'expired',
      verdict: null,
      fromState: 'Submitted',
      toState: 'Cancelled',
    });
  });

  it('do not overtake an event that came in time (D30)', () => {
    const run = runAfter(submitted);
    const [receipt] = run.receive(expiry(30), delivery(acceptedWith(0), { receivedAt: at(30) }));
    expect(receipt).toMatchObject({ verdict: 'applied' });
    expect(run.state).toBe('Accepted');
  });

  it('are before an event that came after them', () => {
    const run = runAfter(submitted);
    const [receipt] = run.receive(delivery(acceptedWith(0), { receivedAt: at(31) }), expiry(30));
    expect(receipt).toMatchObject({ verdict: 'late', rule: 'never-applied' });
    expect(run.state).toBe('Cancelled');
  });

  it.each([
    ['state', { state: 'AwaitingShipment' }],
    ['round', { round: 1 }],
    ['member', { member: 'removed' }],
  ])('of another %s do nothing', (_what, change) => {
    const run = runAfter(submitted);
    const before = run.run;
    run.receive(expiry(30, change));
    expect(run.run).toEqual(before);
  });

  it.each(['failed', 'paused', 'terminated', 'compensating'] as const)('of a %s run do nothing', (status) => {
    const run = runAfter(submitted);
    run.run = { ...run.run, status };
    run.receive(expiry(30));
    expect(run.run.state).toBe('Submitted');
  });

  it('can ask for a person, and stay', () => {
    const run = runAfter(submitted, acceptedWith(0));
    while (run.step() !== undefined);
    run.receive({ member: 'overdue', state: 'AwaitingShipment', round: 0, fireAt: at(50) });
    expect(run.run).toMatchObject({
      state: 'AwaitingShipment',
      attention: 'shipment overdue',
      data: { overdue: true },
    });
  });

  it('whose method fails ask for a person, and change nothing else', () => {
    const fold = () => {
      throw new Error('no clock');
    };
    const run = new MemoryRun({
      ...definition,
      timeouts: definition.timeouts.map((one) => ({ ...one, fold })),
    });
    run.deliver(delivery(submitted));
    run.receive(expiry(30));
    expect(run.run).toMatchObject({ state: 'Submitted', attention: expect.stringContaining('no clock') });
    expect(run.journal.at(-1)).toMatchObject({ kind: 'timer', verdict: 'rejected', rule: 'handler-failed' });
  });
});
