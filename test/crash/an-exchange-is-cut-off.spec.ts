import { jest } from '@jest/globals';
import { ExchangeClient, newRequestId } from '@pawl/messaging';
import {
  type ForkedService,
  forkService,
  LossyProxy,
  testDatabase,
  type TestDatabase,
  until,
} from '@pawl/testing';
import { DataSource } from 'typeorm';
import { startEngine } from '../engine/engine-stage.js';
import { type ExchangeService, LABELS, openExchangeService, printLabel } from '../http/exchange-service.js';
import { Packed, ShipmentWorkflow } from '../http/label-workflow.js';

// On a machine that does much else a forked service alone takes seconds to start.
jest.setTimeout(90_000);

const ENTRY = 'test/crash/label-service.ts';
const client = new ExchangeClient({ tryTimeoutMs: 5_000, triesMax: 1_000, pauseMs: 20, pauseMaxMs: 50 });

describe('An exchange is cut off', () => {
  let database: TestDatabase;
  let labels: DataSource;
  let successor: ExchangeService;
  let proxy: LossyProxy;
  const forked: ForkedService[] = [];

  beforeAll(async () => {
    database = await testDatabase();
    labels = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await labels.query(LABELS);
    successor = await openExchangeService(database.url);
    proxy = await LossyProxy.start(successor.url);
  });
  afterAll(async () => {
    for (const each of forked) each.kill('SIGKILL');
    await proxy?.close();
    await successor?.close();
    await labels?.destroy();
    await database?.drop();
  });

  const fork = (crashPoint: string, env: Record<string, string>): ForkedService => {
    const service = forkService(ENTRY, { crashPoint, env });
    forked.push(service);
    return service;
  };
  async function died(service: ForkedService): Promise<void> {
    expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(service.crashed()).toBe(true);
  }
  const printed = async (weight: number) =>
    (await labels.query<unknown[]>('select 1 from label where weight = $1', [weight])).length;

  it.each([
    ['stored and not answered', 'exchange.after-put', 1],
    ['processed and not committed', 'exchange.before-commit', 2],
    ['committed and not answered', 'exchange.after-commit', 3],
    ['deleted and not answered', 'exchange.after-delete', 4],
  ])(
    'when it is %s, the service dies: its successor has one effect and the answer',
    async (_, crashPoint, weight) => {
      const service = fork(crashPoint, { DATABASE_URL: database.url });
      proxy.leadTo((await service.ready<{ url: string }>()).url);
      const id = newRequestId();
      const asked = client.request(proxy.url, { id, type: printLabel, body: { weight } });
      if (crashPoint === 'exchange.after-delete')
        await asked.then(() => client.forget(proxy.url, id)).catch(() => undefined);
      await died(service);
      proxy.leadTo(successor.url);
      expect(await asked).toEqual({ label: `label of ${weight}` });
      await client.forget(proxy.url, id);
      const late = client.request(proxy.url, { id, type: printLabel, body: { weight } });
      await expect(late).rejects.toMatchObject({
        code: 'exchange_gone',
        details: { reason: 'exchange_forgotten' },
      });
      expect(await printed(weight)).toBe(1);
    },
  );

  it('when it is answered, the worker dies that has asked: the next one asks under the same id', async () => {
    proxy.leadTo(successor.url);
    const own = await testDatabase();
    const worker = fork('external.after-effect', { DATABASE_URL: own.url, LABELS_URL: proxy.url });
    await died(worker);
    const workflows = [new ShipmentWorkflow(proxy.url)];
    const stage = await startEngine({
      workflows,
      url: own.url,
      options: { rescueEveryMs: 50, leaseMs: 1_000 },
    });
    const run = await stage.client.start(ShipmentWorkflow, 'parcel', new Packed({ weight: 7 }));
    expect(run).toMatchObject({ created: false });
    await until(async () => (await stage.client.runOf(ShipmentWorkflow, 'parcel'))?.status === 'completed');
    expect(await printed(7)).toBe(1);
    await stage.stop();
    await own.drop();
  });
});
