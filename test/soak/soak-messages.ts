import {
  BullTransport,
  type Delivery,
  type InMemoryBus,
  InMemoryTransport,
  openBullBackend,
  type Transport,
} from '@pawl/messaging';
import { type TestDatabase, until } from '@pawl/testing';
import {
  contentOf,
  count,
  effects,
  sendNumbers,
  testService,
  type TestService,
  toShipping,
} from '../messaging/service-pair.js';
import { type FaultRates, seeded, UnrulyTransport } from '../messaging/unruly-transport.js';
import { doneTwice, duplicatesOf, type Sample, takeSample } from './sample.js';
import type { SoakReport } from './soak-report.js';

export interface SoakOptions {
  readonly messages: number;
  readonly seed: number;
  /** Whether messages and acknowledgements are lost, repeated, kept back and shuffled. */
  readonly faults: boolean;
  /** A URL for BullMQ, or memory. */
  readonly bus: InMemoryBus | string;
  /** Of orders, which sends, and of shipping, which receives. With Pawl's schema. */
  readonly databases: { readonly orders: TestDatabase; readonly shipping: TestDatabase };
  readonly onSample?: (sample: Sample, elapsedMs: number) => void;
}

/** Messages that are written before the sender waits for acknowledgements. */
const OUTBOX_MAX = 4_000;
const STEP = 500;
const SAMPLES = 20;
/** Longer than what is under way takes: what is only slow is not sent again. */
const LIMITS = { firstIntervalMs: 1_000, longestIntervalMs: 2_000 } as const;
const STUCK_AFTER_MS = 120_000;
const RATES: FaultRates = { lost: 0.02, repeated: 0.3, late: 0.1 };
/** There are few of them, and each says what the one before said. */
const ACKNOWLEDGEMENT_RATES: FaultRates = { lost: 0.2, repeated: 0.3, late: 0.2 };
const NO_FAULTS: FaultRates = { lost: 0, repeated: 0, late: 0 };

/** Sends very many messages from one service to another over an unruly bus, and counts what that leaves in the tables. */
export async function soakMessages(options: SoakOptions): Promise<SoakReport> {
  const soak = new Soak(options);
  try {
    return await soak.run();
  } finally {
    await soak.close();
  }
}

class Soak {
  private readonly closing: (() => Promise<void>)[] = [];
  private readonly samples: Sample[] = [];
  private readonly there: UnrulyTransport;
  private readonly back: UnrulyTransport;
  private readonly startedAt = performance.now();
  private orders!: TestService;
  private shipping!: TestService;
  private restarts = 0;
  private numberOne: Delivery | undefined;

  constructor(private readonly options: SoakOptions) {
    const random = seeded(options.seed);
    const { faults } = options;
    this.there = new UnrulyTransport(this.newTransport(), random, faults ? RATES : NO_FAULTS);
    this.back = new UnrulyTransport(this.newTransport(), random, faults ? ACKNOWLEDGEMENT_RATES : NO_FAULTS);
    this.keepNumberOne();
  }

  async run(): Promise<SoakReport> {
    const { databases, messages, faults } = this.options;
    const { partitions } = toShipping;
    this.orders = await testService({
      name: 'orders',
      bus: this.there,
      database: databases.orders,
      limits: LIMITS,
    });
    this.shipping = await this.newReceiver();
    await this.shipping.dataSource.query('CREATE TABLE effect (id uuid NOT NULL, n integer NOT NULL)');
    await Promise.all([this.orders.runtime.start(), this.shipping.runtime.start()]);
    await this.sendAll();
    await this.settled(() => this.outboxHolds(0));
    const atRest = await this.sample(messages);
    const elapsedMs = performance.now() - this.startedAt;
    const oldCopy = await this.sendNumberOneAgain();
    return {
      ...{ messages, partitions, outboxMax: OUTBOX_MAX + STEP },
      rangesMax: partitions * this.shipping.runtime.limits.rangesMax,
      ...{ samples: this.samples, atRest, elapsedMs, oldCopy, restarts: this.restarts },
      doneTwice: await doneTwice(this.shipping),
      deadLetters: await count(this.shipping, 'pawl.dead_letter'),
      losses: await count(this.shipping, 'pawl.loss'),
      faults: faults ? { there: this.there.done, back: this.back.done } : undefined,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.orders?.close(), this.shipping?.close()]);
    await Promise.all(this.closing.map((close) => close()));
  }

  /** In the middle the receiver is replaced. */
  private async sendAll(): Promise<void> {
    const { messages } = this.options;
    const sampleEvery = Math.max(STEP, Math.floor(messages / SAMPLES));
    for (let sent = 0; sent < messages;) {
      await this.settled(() => this.outboxHolds(OUTBOX_MAX));
      const step = Math.min(STEP, messages - sent);
      await sendNumbers(this.orders, step, { from: sent });
      sent += step;
      if (this.restarts === 0 && sent >= messages / 2) await this.restartReceiver();
      if (sent % sampleEvery < STEP) await this.sample(sent);
    }
  }

  /** All is through and tidied up, the receiver is a new process: only the tables can still know number 1. */
  private async sendNumberOneAgain(): Promise<SoakReport['oldCopy']> {
    const number = this.numberOne;
    if (number === undefined) throw new Error('Number 1 was never published.');
    for (const { dataSource } of [this.orders, this.shipping]) await dataSource.query('VACUUM ANALYZE');
    await this.restartReceiver();
    const before = await duplicatesOf(this.shipping);
    const bus = this.newTransport();
    await bus.publish('shipping', [number]);
    const recognised = await until(async () => (await duplicatesOf(this.shipping)) > before, {
      timeoutMs: STUCK_AFTER_MS,
    }).catch(() => false);
    return { recognised, effectsAfterwards: await count(this.shipping, 'effect') };
  }

  private async restartReceiver(): Promise<void> {
    await this.shipping.close();
    this.shipping = await this.newReceiver();
    await this.shipping.runtime.start();
    this.restarts++;
  }

  private async newReceiver(): Promise<TestService> {
    const database = this.options.databases.shipping;
    const shipping = await testService({ name: 'shipping', bus: this.back, database });
    shipping.runtime.consumers.register(['orders.noted'], effects());
    return shipping;
  }

  private async sample(sent: number): Promise<Sample> {
    const sample = await takeSample(this.orders, this.shipping, sent);
    this.samples.push(sample);
    this.options.onSample?.(sample, performance.now() - this.startedAt);
    return sample;
  }

  private async outboxHolds(most: number): Promise<boolean> {
    return (await count(this.orders, 'pawl.outbox')) <= most;
  }

  /** Whether it goes on: time without progress is a mistake, and the seed tells which. */
  private async settled(condition: () => Promise<boolean>): Promise<void> {
    await until(condition, { what: `progress, seed ${this.options.seed}`, timeoutMs: STUCK_AFTER_MS });
  }

  private newTransport(): Transport {
    const { bus } = this.options;
    if (typeof bus !== 'string') return new InMemoryTransport(bus);
    const backend = openBullBackend(bus, { prefix: 'soak' });
    const transport = new BullTransport(backend);
    this.closing.push(async () => {
      await transport.close();
      await backend.close();
    });
    return transport;
  }

  private keepNumberOne(): void {
    const publish = this.there.publish.bind(this.there);
    this.there.publish = async (destination, deliveries) => {
      this.numberOne ??= deliveries.find((delivery) => {
        const content = contentOf(delivery);
        return 'sequence' in content && content.sequence === 1;
      });
      await publish(destination, deliveries);
    };
  }
}
