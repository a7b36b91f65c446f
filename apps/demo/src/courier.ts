// Stands between the services, a process of its own: takes every message and acknowledgement out of one queue and delivers it
// two or three times, late and out of order. Its whole configuration is a JSON in its first argument.
import { setTimeout as pause } from 'node:timers/promises';
import { BullTransport, openBullBackend } from '@pawl/messaging';
import type { Delivery, MessageJob } from '@pawl/messaging';
import { Random } from './random.js';
import { Shuffler } from './shuffler.js';
import type { Copy } from './shuffler.js';

export interface CourierOptions {
  readonly busUrl: string;
  readonly queue: string;
  readonly prefix: string;
  readonly seed: string;
}

const ROUND_MS = 100;
const REPORT_EVERY_MS = 100;

const { busUrl, queue, prefix, seed } = JSON.parse(process.argv[2] ?? '{}') as CourierOptions;
const shuffler = new Shuffler<Delivery>(new Random(seed));
const backend = openBullBackend(busUrl, { prefix });
const transport = new BullTransport(backend);
let stopping = false;

backend.worker(queue, async ({ data }) => {
  const { to, deliveries } = data as MessageJob;
  for (const delivery of deliveries) shuffler.take(delivery, to, performance.now());
});
process.on('SIGTERM', () => (stopping = true));
process.send?.({ ready: true });
await deliver();
await backend.close();
process.exit();

async function deliver(): Promise<void> {
  for (let reportedAt = 0; !stopping; await pause(ROUND_MS)) {
    await Promise.all([...shuffler.due(performance.now())].map(([to, copies]) => hand(to, copies)));
    if (performance.now() - reportedAt < REPORT_EVERY_MS) continue;
    reportedAt = performance.now();
    process.send?.(shuffler.counts);
  }
}

async function hand(to: string, copies: readonly Copy<Delivery>[]): Promise<void> {
  try {
    await transport.publish(
      to,
      copies.map(({ value }) => value),
    );
    shuffler.delivered(copies);
  } catch (error) {
    console.error(`could not deliver to ${to}, trying again: ${String(error)}`);
    shuffler.putBack(copies);
  }
}
