import { MessageType } from '@pawl/messaging';
import { allItemsSeen, type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'small.submitted', version: 1 })
export class Submitted {
  constructor(readonly customer: string) {}
}

@MessageType({ name: 'small.item-added', version: 1 })
export class ItemAdded {
  constructor(
    readonly index: number,
    readonly product: string,
  ) {}
}

@MessageType({ name: 'small.accepted', version: 1 })
export class Accepted {
  constructor(readonly itemCount: number) {}
}

@MessageType({ name: 'small.shipped', version: 1 })
export class Shipped {
  constructor(readonly trackingNumber: string) {}
}

@MessageType({ name: 'small.cancelled', version: 1 })
export class CancelRequested {
  constructor(readonly reason: string) {}
}

export interface SmallOrder {
  customer?: string;
  lines: Record<string, string>;
  trackingNumber?: string;
}

export const EFFECTS = `create schema app; create table app.effect (id bigserial, key text not null, step text not null)`;

const order = workflow<SmallOrder>()('small-order', {
  version: 1,
  states: ['Submitted', 'Accepted', 'AwaitingShipment', 'Shipped', 'Cancelled'],
  final: ['Shipped', 'Cancelled'],
});

/** What an external step calls, as a test wants it to behave. */
export interface Gateway {
  charge(idempotencyKey: string, signal: AbortSignal): Promise<string>;
}

/** An order with a transactional, an external and another transactional step, each with an effect that can be counted. */
@order.Workflow()
export class SmallOrderWorkflow {
  constructor(
    private readonly gateway: Gateway,
    private readonly duringReserve: (context: StepContext<SmallOrder>) => Promise<void> = async () =>
      undefined,
  ) {}

  @order.On(Submitted, { start: true, to: 'Submitted' })
  submitted(data: SmallOrder, event: Submitted): void {
    data.customer = event.customer;
    data.lines = {};
  }

  @order.On(ItemAdded, { in: 'Submitted', item: (event) => event.index })
  itemAdded(data: SmallOrder, event: ItemAdded): void {
    data.lines[event.index] = event.product;
  }

  @order.On(Accepted, {
    in: 'Submitted',
    to: 'Accepted',
    when: allItemsSeen(ItemAdded, (event: Accepted) => event.itemCount),
  })
  accepted(): void {}

  @order.On(CancelRequested, { in: ['Submitted', 'Accepted'], to: 'Cancelled', competes: true })
  cancelled(): void {}

  @order.Timeout({ in: 'Submitted', after: '30m', to: 'Cancelled' })
  expired(): void {}

  @order.Step({ in: 'Accepted', retry: { delay: 50 } })
  async reserve(context: StepContext<SmallOrder>): Promise<{ reserved: number }> {
    await context.tx.query(`insert into app.effect (key, step) values ($1, 'reserve')`, [context.key]);
    await this.duringReserve(context);
    return { reserved: Object.keys(context.data.lines).length };
  }

  @order.Step({ in: 'Accepted', effect: 'external', retry: { delay: 50 } })
  async charge({ idempotencyKey, signal }: StepContext<SmallOrder>): Promise<string> {
    return this.gateway.charge(idempotencyKey, signal);
  }

  @order.Step({ in: 'Accepted', to: 'AwaitingShipment' })
  async release({ tx, key }: StepContext<SmallOrder>): Promise<void> {
    await tx.query(`insert into app.effect (key, step) values ($1, 'release')`, [key]);
  }

  @order.On(Shipped, { in: 'AwaitingShipment', to: 'Shipped' })
  shipped(data: SmallOrder, event: Shipped): void {
    data.trackingNumber = event.trackingNumber;
  }
}
