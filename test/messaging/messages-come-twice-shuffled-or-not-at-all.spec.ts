import { InMemoryBus, InMemoryTransport } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { randomInt } from 'node:crypto';
import {
  closedRanges,
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  upTo,
} from './service-pair.js';
import { seeded, UnrulyTransport } from './unruly-transport.js';

const MESSAGES = 500;

it('each takes effect once, and at rest nothing is left but one range per partition', async () => {
  const seed = Number(process.env['PAWL_SEED'] ?? randomInt(2 ** 31));
  const random = seeded(seed);
  const bus = new InMemoryBus();
  const [there, back] = [0, 0].map(() => new UnrulyTransport(new InMemoryTransport(bus), random)) as [
    UnrulyTransport,
    UnrulyTransport,
  ];
  const orders = await testService({ name: 'orders', bus: there });
  const shipping = await testService({ name: 'shipping', bus: back });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await orders.runtime.start();
  await shipping.runtime.start();
  try {
    await sendNumbers(orders, MESSAGES);
    await until(async () => (await count(orders, 'pawl.outbox')) === 0, {
      what: `an empty outbox, seed ${seed}`,
      timeoutMs: 25_000,
    });
    expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));
    for (const closed of await closedRanges(shipping)) expect(closed).toMatch(/^\{\[0,\d+\)\}$/);
    // The faults were there: messages were lost and repeated, and so were acknowledgements.
    for (const { lost, repeated } of [there.done, back.done])
      expect(Math.min(lost, repeated)).toBeGreaterThan(0);
    const [dropped] = await shipping.dataSource.query(
      'SELECT sum(duplicates)::integer AS n FROM pawl.inbox_stream',
    );
    expect((dropped as { n: number }).n).toBeGreaterThan(0);
  } finally {
    await orders.close();
    await shipping.close();
  }
});
