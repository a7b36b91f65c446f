import fc from 'fast-check';
import { ItemAdded, OrderAccepted, OrderReleased, OrderShipped, OrderSubmitted } from '@pawl/contracts';
import { definitionOf } from '@pawl/workflow';
import { OrderWorkflow } from '../../apps/orders/src/order.workflow.js';
import { PaymentGateway } from '../../apps/orders/src/payment/payment-gateway.js';
import { ShipmentWorkflow } from '../../apps/shipping/src/shipment.workflow.js';
import { delivery, MemoryRun } from '../machine/memory-run.js';

const line = (product: string, quantity: number) => ({
  product,
  quantity,
  unitPriceCents: 1_800,
  discountPercent: 5,
});

const ordered = [
  new OrderSubmitted('o-1', 'ALFKI'),
  new ItemAdded('o-1', 0, line('Chai', 1)),
  new ItemAdded('o-1', 1, line('Chang', 2)),
  new ItemAdded('o-1', 2, line('Tofu', 3)),
  new OrderAccepted('o-1', 3),
];

const order = definitionOf(new OrderWorkflow(new PaymentGateway('http://nowhere')));
const shipment = definitionOf(new ShipmentWorkflow());

const WORKFLOWS = [
  { definition: order, events: [...ordered, new OrderShipped('o-1', 'PAWL-1')] },
  { definition: shipment, events: [...ordered, new OrderReleased('o-1')] },
];

/** Every event once or more often, in any order, with steps in between wherever one is due. */
const chaos = (events: readonly object[]) =>
  fc
    .array(fc.constantFrom(...events), { maxLength: 2 * events.length })
    .chain((repeated) =>
      fc.shuffledSubarray([...events, ...repeated], { minLength: events.length + repeated.length }),
    )
    .chain((deliveries) =>
      fc
        .array(fc.boolean(), { minLength: deliveries.length, maxLength: deliveries.length })
        .map((steps) => ({ deliveries, steps })),
    );

describe.each(WORKFLOWS)('the workflow $definition.workflow', ({ definition, events }) => {
  function end({
    deliveries,
    steps,
  }: {
    deliveries: readonly object[];
    steps: readonly boolean[];
  }): MemoryRun {
    const run = new MemoryRun(definition);
    deliveries.forEach((event, n) => {
      run.deliver(delivery(event));
      if (steps[n]) run.step();
    });
    while (run.step() !== undefined);
    return run;
  }

  const reference = end({ deliveries: events, steps: events.map(() => true) });

  it('ends shipped', () => {
    expect(reference.state).toBe('Shipped');
    expect(reference.run.attention).toBeNull();
  });

  it('ends the same whatever the order and the repetitions', () => {
    fc.assert(
      fc.property(chaos(events), (story) => {
        const run = end(story);
        expect(run.state).toBe(reference.state);
        expect(run.data).toEqual(reference.data);
        expect(run.stepsDone).toEqual(reference.stepsDone);
        expect(new Set(run.messages.map(({ type, payload }) => JSON.stringify([type, payload])))).toEqual(
          new Set(reference.messages.map(({ type, payload }) => JSON.stringify([type, payload]))),
        );
        expect(run.messages).toHaveLength(reference.messages.length);
        expect([run.deadLetters, run.losses, run.parked.size]).toEqual([[], [], 0]);
      }),
      { numRuns: 300 },
    );
  });
});
