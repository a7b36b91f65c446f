import { PostgresProxy, until } from '@pawl/testing';
import { effectsOf, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('A worker is cut off from PostgreSQL', () => {
  let stage: EngineStage;
  let proxy: PostgresProxy;
  let cutOff: EngineStage;
  let successor: EngineStage | undefined;
  const charging = new Barrier();
  const keys: string[] = [];
  let told: AbortSignal | undefined;
  const options = { leaseMs: 1_000, rescueEveryMs: 20 };

  beforeAll(async () => {
    const silent = {
      charge: async (key: string, signal: AbortSignal): Promise<string> => {
        told = signal;
        keys.push(key);
        await charging.stop();
        return 'of the one that was cut off';
      },
    };
    const workflows = [new SmallOrderWorkflow(silent)];
    stage = await startEngine({ workflows, schema: EFFECTS, options: { work: false } });
    proxy = await PostgresProxy.start(stage.url);
    cutOff = await startEngine({ workflows, url: proxy.url(stage.url), options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    proxy.pass();
    await Promise.all([cutOff.stop(), successor?.stop()]);
    await proxy.close();
    await stage.stop();
  });

  it('its step is told when the lease has run out by its own clock, and a successor goes on', async () => {
    await placeOrder(cutOff, 'one');
    const goOn = await charging.arrival();
    proxy.blackhole();
    await until(() => told?.aborted, { what: 'an aborted signal' });
    const gateway = { charge: async (key: string) => `receipt ${keys.push(key)}` };
    successor = await startEngine({ workflows: [new SmallOrderWorkflow(gateway)], url: stage.url, options });
    await orderIn(stage, 'one', 'AwaitingShipment');
    proxy.pass();
    goOn();
    await until(() => cutOff.runtime.worker.idle);
    expect(await stepOf(stage, 'one', 'charge')).toMatchObject({ attempts: 2, output: 'receipt 2' });
    expect(await effectsOf(stage, 'one')).toEqual(['reserve', 'release']);
    expect(new Set(keys).size).toBe(1);
  });
});
