import type { Envelope } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import {
  arriving,
  closedRanges,
  effectNumbers,
  Noted,
  RecordingTransport,
  type TestService,
  testService,
} from './service-pair.js';

const TOGETHER_MS = 50;
const HANGS = 0;
let shipping: TestService;
let goOn: () => void;
let calls: number;

beforeEach(async () => {
  shipping = await testService({ name: 'shipping', bus: new RecordingTransport() });
  const gate = new Promise<void>((open) => (goOn = open));
  calls = 0;
  const handler = new HandlerConsumer(
    'handler',
    Noted,
    async (payload, { envelope, manager }) => {
      const { n } = payload as unknown as Noted;
      if (n === HANGS) await (calls++, gate);
      await manager.query('INSERT INTO effect (id, n) VALUES ($1, $2)', [envelope.id, n]);
    },
    20_000,
    20_000,
    TOGETHER_MS,
  );
  shipping.runtime.consumers.register(['orders.noted'], handler);
});
afterEach(async () => {
  goOn();
  await shipping.close();
});

it('and only its own key waits: others of the same partition are handled beside it', async () => {
  const hanging = accept(at(HANGS, 'a'), at(1, 'b'), at(2, 'a', HANGS));
  await until(async () => calls === 2 && (await effectNumbers(shipping)).length === 1);
  expect(await accept(at(3, 'c'), at(4, 'b', 1), at(5, 'a', 2))).toEqual(['closed', 'closed', 'open']);
  await until(async () => (await effectNumbers(shipping)).length === 3);
  expect([await effectNumbers(shipping), await closedRanges(shipping)]).toEqual([
    [1, 3, 4],
    ['{[1,2),[3,5)}'],
  ]);
  goOn();
  expect(await hanging).toEqual(['closed', 'closed', 'closed']);
  await until(async () => (await effectNumbers(shipping)).length === 6);
});

it('and a copy that comes meanwhile is not tried beside it', async () => {
  const hanging = accept(at(HANGS, 'a'));
  await until(() => calls === 2);
  expect(await accept(at(HANGS, 'a', undefined, { transmission: 2 }))).toEqual(['open']);
  expect(calls).toBe(2);
  goOn();
  expect(await hanging).toEqual(['closed']);
});

it('and another process that is given a copy leaves it alone', async () => {
  const second = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    database: shipping.database,
  });
  second.runtime.consumers.register(['orders.noted'], {
    name: 'slow together',
    handle: async (envelopes, _, how) => {
      if (how?.apart === true) calls++;
      else throw new Error('not together');
      return envelopes.map(({ id }) => id);
    },
  });
  const hanging = accept(at(HANGS, 'a'));
  await until(() => calls === 2);
  expect(await second.runtime.inbox.accept([at(HANGS, 'a')])).toEqual(['open']);
  expect(calls).toBe(2);
  goOn();
  expect(await hanging).toEqual(['closed']);
  await second.close();
});

it('and what was closed meanwhile has no second effect', async () => {
  const hanging = accept(at(HANGS, 'a'));
  await until(() => calls === 2);
  await shipping.dataSource.query(`UPDATE pawl.inbox_stream SET closed = '{[0,1)}'`);
  goOn();
  expect(await hanging).toEqual(['open']);
  expect(await effectNumbers(shipping)).toEqual([]);
  expect(await accept(at(HANGS, 'a'))).toEqual(['duplicate']);
});

function at(sequence: number, subject: string, previous?: number, fields: Partial<Envelope> = {}): Envelope {
  const order = { keyorder: 'hold', ...(previous === undefined ? {} : { previous }) } as const;
  return arriving(sequence, { subject, ...order, ...fields });
}

async function accept(...envelopes: Envelope[]): Promise<string[]> {
  return shipping.runtime.inbox.accept(envelopes);
}
