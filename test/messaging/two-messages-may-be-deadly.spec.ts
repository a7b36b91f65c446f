import { until } from '@pawl/testing';
import { arriving, effects, RecordingTransport, type TestService, testService } from './service-pair.js';

let shipping: TestService;

beforeAll(async () => (shipping = await testService({ name: 'shipping', bus: new RecordingTransport() })));
afterAll(() => shipping.close());

it('and they are never tried side by side, so that neither is counted with the other', async () => {
  let goOn = (): void => undefined;
  const gate = new Promise<void>((open) => (goOn = open));
  const calls: number[] = [];
  shipping.runtime.consumers.register(['orders.noted'], {
    ...effects(),
    handle: async (envelopes) => {
      const deadly = envelopes.some(({ partition }) => partition < 2);
      if (deadly) {
        calls.push(...envelopes.map(({ partition }) => partition));
        await gate;
      }
      return [];
    },
  });
  await shipping.dataSource.query(
    `INSERT INTO pawl.inbox_attempt (stream, partition, incarnation, sequence, message_id, attempts)
     SELECT $1, n, $2, 0, $3, 1 FROM generate_series(0, 1) n`,
    [arriving(0).stream, arriving(0).incarnation, arriving(0).id],
  );
  const accept = (partition: number, sequence: number): Promise<string[]> =>
    shipping.runtime.inbox.accept([arriving(sequence, { partition })]);

  const deadly = [accept(0, 0), accept(1, 0)];
  await until(() => calls.length === 1);
  // What is not deadly goes on beside it, and leaves the other one time to come too soon.
  for (const n of [0, 1, 2]) expect(await accept(2, n)).toEqual(['closed']);
  expect([calls.length, await attempts()]).toEqual([1, [1, 2]]);
  goOn();
  expect(await Promise.all(deadly)).toEqual([['closed'], ['closed']]);
  expect([calls.toSorted((a, b) => a - b), await attempts()]).toEqual([[0, 1], []]);
});

async function attempts(): Promise<number[]> {
  const rows = await shipping.dataSource.query('SELECT attempts FROM pawl.inbox_attempt ORDER BY attempts');
  return (rows as { attempts: number }[]).map((row) => row.attempts);
}
