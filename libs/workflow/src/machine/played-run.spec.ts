import { delivery } from '../../../../test/machine/memory-run.js';
import {
  ItemAdded,
  OrderAccepted,
  OrderCancelled,
  orderDefinition,
  OrderShipped,
  OrderSubmitted,
} from '../../../../test/machine/order-workflow.js';
import { PlayedRun } from './played-run.js';

const received = (run: PlayedRun, ...events: object[]): PlayedRun =>
  events.reduce<PlayedRun>((at, event) => at.receive([delivery(event)]).after, run);

const started = (): PlayedRun => PlayedRun.of(orderDefinition());
const accepted = (): PlayedRun =>
  received(started(), new OrderSubmitted('Ada'), new ItemAdded(0, 'tea'), new OrderAccepted(1));

/** With every step that becomes due done. */
function worked(run: PlayedRun): PlayedRun {
  const [step] = run.due;
  return step ? worked(run.finish(step, `output of ${step.name}`).after) : run;
}

it('goes from an event to the end as with a store', () => {
  const run = received(worked(accepted()), new OrderShipped('T-1'));
  expect(run.run).toMatchObject({ state: 'Shipped', status: 'completed', data: { trackingNumber: 'T-1' } });
  expect(run.rows.steps.map(({ name, status, output }) => [name, status, output])).toEqual([
    ['reserveStock', 'done', 'output of reserveStock'],
    ['charge', 'done', 'output of charge'],
    ['releaseForShipment', 'done', 'output of releaseForShipment'],
  ]);
  expect(run.rows.messages.map(({ type }) => type)).toEqual([
    'orders.submitted',
    'orders.item-added',
    'orders.accepted',
  ]);
});

it('keeps what is early, and decides it when its time has come', () => {
  const early = received(started(), new OrderAccepted(1), new OrderSubmitted('Ada'), new OrderShipped('T-1'));
  expect(early.rows.parked.map(({ type }) => type).sort()).toEqual(['orders.accepted', 'shipping.shipped']);
  const { change, after } = early.receive([delivery(new ItemAdded(0, 'tea'))]);
  expect(change.journal.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['orders.item-added', 'applied'],
    ['orders.accepted', 'applied'],
  ]);
  expect(worked(after).run.state).toBe('Shipped');
});

it('is the same run when nothing comes of an event', () => {
  const run = accepted();
  expect(received(run, new ItemAdded(0, 'tea'))).toBe(run);
  expect(received(run, new ItemAdded(0, 'milk')).rows.deadLetters).toMatchObject([
    { rule: 'conflicting-content' },
  ]);
});

it('changes nothing that was given', () => {
  const run = accepted();
  const rows = structuredClone({ ...run.rows, messages: [] });
  worked(run);
  received(run, new OrderCancelled());
  expect({ ...run.rows, messages: [] }).toEqual(rows);
});

it('fires a timeout of its state once', () => {
  const submitted = received(started(), new OrderSubmitted('Ada'));
  expect(submitted.timeouts.map(({ member }) => member)).toEqual(['expired']);
  const { after } = submitted.fire(submitted.timeouts[0]!);
  expect(after.run).toMatchObject({ state: 'Cancelled', status: 'completed' });
  expect(after.timeouts).toEqual([]);
  const waiting = worked(accepted());
  expect(waiting.fire(waiting.timeouts[0]!).after.timeouts).toEqual([]);
});

it('fails where a step gives up and nothing can be undone', () => {
  const run = accepted();
  const { after } = run.giveUp(run.due[0]!);
  expect(after.run.status).toBe('failed');
  expect(after.due).toEqual([]);
  expect(received(after, new OrderShipped('T-1')).rows.parked).toHaveLength(1);
});
