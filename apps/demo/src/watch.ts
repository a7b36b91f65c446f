import { setTimeout as pause } from 'node:timers/promises';
import type { OrdersClient } from './client.js';
import type { DemoOrder } from './demo-order.js';

const LOOK_EVERY_MS = 500;
const LOOK_AT_MAX = 16;

/** Follows orders to their end by asking the orders service, a few at a time. */
export class OrderWatch {
  /** The last state of each order that has ended. */
  readonly ended = new Map<string, string>();
  private readonly client: OrdersClient;
  private readonly orders: readonly DemoOrder[];

  constructor(client: OrdersClient, orders: readonly DemoOrder[]) {
    this.client = client;
    this.orders = orders;
  }

  /** Orders that ended as they were meant to. */
  get shipped(): number {
    return [...this.ended.values()].filter((state) => state === 'Shipped').length;
  }

  /** Waits until every order has ended, telling after each look. Aborts with the signal. */
  async untilEnded(onLook: () => void, signal: AbortSignal): Promise<void> {
    while (this.ended.size < this.orders.length) {
      const open = this.orders.filter(({ id }) => !this.ended.has(id)).slice(0, LOOK_AT_MAX);
      await Promise.all(open.map((order) => this.look(order)));
      onLook();
      const everything = open.every(({ id }) => this.ended.has(id));
      if (!everything) await pause(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  private async look({ id }: DemoOrder): Promise<void> {
    const state = await this.client.state(id);
    if (state === 'Shipped' || state === 'Cancelled') this.ended.set(id, state);
  }
}
