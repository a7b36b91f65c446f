import { afterPlan, chaoticPlan, orderlyPlan } from './client-plan.js';
import type { Wish } from './client-plan.js';
import { OrdersClient } from './client.js';
import type { DemoOrder } from './demo-order.js';
import { gatewayPlan } from './gateway-plan.js';
import { Kill } from './kill.js';
import type { DemoOptions } from './options.js';
import { Patience } from './patience.js';
import { ProgressBar } from './progress.js';
import { Random } from './random.js';
import type { Stage } from './stage.js';
import { OrderWatch } from './watch.js';

const CONFLICT = 409;

/** Sends the orders, breaks what is to be broken on the way, and follows every order to its end. Afterwards its parts can tell what they saw. */
export class Show {
  readonly client: OrdersClient;
  readonly watch: OrderWatch;
  readonly kills: readonly Kill[];
  /** Known facts under new keys, and contradictions: sent when every order had ended. */
  readonly sentAfterwards = { known: 0, contradicting: 0 };
  private readonly random: Random;
  private readonly wishes: readonly Wish[];
  private readonly bar: ProgressBar;
  private readonly patience: Patience;
  private readonly stop: AbortSignal;

  constructor(
    private readonly options: DemoOptions,
    private readonly orders: readonly DemoOrder[],
    private readonly stage: Stage,
    ending: AbortSignal,
  ) {
    this.random = new Random(options.seed);
    this.wishes = options.faults ? chaoticPlan(this.random.of('client'), orders) : orderlyPlan(orders);
    this.patience = new Patience(options.patienceMs);
    this.stop = AbortSignal.any([this.patience.signal, ending]);
    this.client = new OrdersClient({
      url: () => stage.orders.url,
      random: this.random.of('back-off'),
      signal: this.stop,
      onSent: () => this.checkKills(),
    });
    this.watch = new OrderWatch(this.client, orders);
    this.bar = new ProgressBar({ out: process.stdout, total: orders.length });
    this.kills = options.faults ? this.planKills(this.random.of('kills')) : [];
  }

  /** Answers whether every order has ended; no if nothing moved any more. */
  async perform(): Promise<boolean> {
    const { faults } = this.options;
    if (faults) this.stage.misbehave(gatewayPlan(this.random.of('gateway'), this.orders));
    this.stage.onCourierReport = () => this.checkKills();
    try {
      // Without faults one request follows the other, so that each order comes before its items.
      await Promise.all([this.client.send(this.wishes, faults ? {} : { lanes: 1 }), this.follow()]);
      if (faults) await this.sendAfterwards();
      await Promise.all(this.kills.map((kill) => kill.done()));
      return true;
    } catch (error) {
      if (!this.patience.signal.aborted) throw error;
      return false;
    } finally {
      this.patience.end();
      this.bar.end();
    }
  }

  private async follow(): Promise<void> {
    const since = performance.now();
    await this.watch.untilEnded(() => {
      const seconds = Math.round((performance.now() - since) / 1000);
      const { done, retried } = this.client;
      this.patience.look(done + this.watch.ended.size);
      const again = retried > 0 ? `, ${retried} sent again` : '';
      const text = `orders ended, ${done}/${this.wishes.length} requests answered${again}, ${seconds} s`;
      this.bar.show(this.watch.ended.size, text);
    }, this.stop);
  }

  private async sendAfterwards(): Promise<void> {
    const { known, contradicting } = afterPlan(this.random.of('after'), this.orders);
    await this.client.send(known);
    await this.client.send(contradicting, { status: CONFLICT });
    this.sentAfterwards.known = known.length;
    this.sentAfterwards.contradicting = contradicting.length;
  }

  private checkKills(): void {
    for (const kill of this.kills) kill.check();
  }

  /** The orders process goes in the first half of the requests, the shipping process in the second half of the messages. */
  private planKills(random: Random): readonly Kill[] {
    const { stage, client, orders, watch, bar } = this;
    const requests = Math.floor((this.wishes.length * random.between(20, 50)) / 100);
    const messagesToShipping = orders.reduce((sum, { lines }) => sum + lines.length + 3, 0);
    const messages = Math.floor((messagesToShipping * random.between(50, 80)) / 100);
    const tell = (text: string): void => bar.note(text);
    return [
      new Kill(stage.orders, tell, () => {
        if (client.inFlight === 0 || client.done < requests) return undefined;
        return `${client.inFlight} requests in hand and ${orders.length - watch.ended.size} orders to finish`;
      }),
      new Kill(stage.shipping, tell, () => {
        const { taken, pending } = stage.courierCounts;
        const coming = pending['shipping'] ?? 0;
        if (coming === 0 || (taken['shipping'] ?? 0) < messages) return undefined;
        return `${coming} messages on their way to it and ${orders.length - watch.ended.size} orders to finish`;
      }),
    ];
  }
}
