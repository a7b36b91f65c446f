import type { Envelope } from '@pawl/messaging';
import { count, RecordingTransport, sendNumbers, testService, type TestService } from './service-pair.js';

const MESSAGES = 600;
let buses: RecordingTransport[];
let services: TestService[];

beforeEach(async () => {
  buses = [new RecordingTransport(), new RecordingTransport(), new RecordingTransport()];
  const first = await testService({ name: 'orders', bus: buses[0] as RecordingTransport });
  const others = await Promise.all(
    buses.slice(1).map((bus) => testService({ name: 'orders', bus, database: first.database })),
  );
  services = [first, ...others];
});
afterEach(async () => {
  for (const service of services.toReversed()) await service.close();
});

it('each message gets one number, and the numbers of a partition are dense', async () => {
  const [sender] = services as [TestService];
  let sending = true;
  const relaying = services.map(async ({ runtime }) => {
    while (sending || (await unnumbered()) > 0) await runtime.relay.pass();
  });
  // The writers of a transaction that commits late get later numbers: any order will do, a gap will not.
  await Promise.all(
    [0, 1, 2].map((part) => sendNumbers(sender, MESSAGES / 3, { from: (part * MESSAGES) / 3 })),
  );
  sending = false;
  await Promise.all(relaying);

  const published = buses.flatMap((bus) => bus.published);
  expect(new Set(published.map(({ id }) => id)).size).toBe(MESSAGES);
  expect(new Set(published.map(place)).size).toBe(MESSAGES);
  expect(published).toHaveLength(MESSAGES);
  for (const partition of [0, 1, 2, 3]) {
    const numbers = published
      .filter((envelope) => envelope.partition === partition)
      .map(({ sequence }) => sequence);
    expect(Math.max(...numbers)).toBe(numbers.length - 1);
  }
  const streams = await sender.dataSource.query(
    'SELECT next_sequence::integer, unacknowledged FROM pawl.outbox_stream',
  );
  for (const { next_sequence, unacknowledged } of streams as {
    next_sequence: number;
    unacknowledged: number;
  }[]) {
    expect(unacknowledged).toBe(next_sequence);
  }
});

it('within a transaction numbers follow the order in which it was written', async () => {
  const [sender] = services as [TestService];
  await sendNumbers(sender, 100);
  while ((await sender.runtime.relay.pass()) > 0);
  for (const partition of [0, 1, 2, 3]) {
    const data = (buses[0] as RecordingTransport).published
      .filter((envelope) => envelope.partition === partition)
      .sort((a, b) => a.sequence - b.sequence)
      .map((envelope) => (envelope.data as { n: number }).n);
    expect(data).toEqual(data.toSorted((a, b) => a - b));
  }
});

async function unnumbered(): Promise<number> {
  return count(services[0] as TestService, 'pawl.outbox WHERE sequence IS NULL');
}

function place({ stream, partition, incarnation, sequence }: Envelope): string {
  return `${stream}/${partition}/${incarnation}/${sequence}`;
}
