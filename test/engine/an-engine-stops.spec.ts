import { PostgresProxy, until } from '@pawl/testing';
import type { HintChannel, HintHandler } from '@pawl/workflow';
import { effectsOf, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

/** A queue that several engines share: whoever still takes hints gets them. */
class SharedHints {
  private readonly handlers = new Set<HintHandler>();

  channel(): HintChannel {
    let own: HintHandler | undefined;
    return {
      send: async (hints) => {
        const [handler] = this.handlers;
        for (const hint of hints) void ('runId' in hint ? handler?.runs([hint.runId]) : handler?.event(hint));
      },
      consume: (handler) => void this.handlers.add((own = handler)),
      pause: async () => void (own && this.handlers.delete(own)),
      close: async () => undefined,
    };
  }
}

const AN_HOUR = 3_600_000;

describe('An engine stops', () => {
  let stage: EngineStage;
  const hints = new SharedHints();
  const engines: EngineStage[] = [];

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((one) => one.stop()));
    await expectSound(stage);
  });
  afterAll(async () => stage.stop());

  async function engine(
    workflow: SmallOrderWorkflow,
    { url = stage.url, drainMs = 10_000 } = {},
  ): Promise<EngineStage> {
    // Nobody rescues: what goes on does so because it was handed over.
    const options = { hintChannel: hints.channel(), rescueEveryMs: AN_HOUR, drainMs };
    const one = await startEngine({ workflows: [workflow], url, options });
    engines.push(one);
    return one;
  }
  const heldUntil = async (key: string) => {
    const [row] = await stage.rows<{ lease_until: Date | null }>(
      'select lease_until from pawl.run where key = $1',
      [key],
    );
    return row?.lease_until;
  };

  it('in the middle of a step: it is handed back, and another engine goes on at once', async () => {
    const charging = new Barrier();
    let told: unknown;
    const stopping = await engine(
      new SmallOrderWorkflow({
        charge: async (_, signal) => {
          signal.addEventListener('abort', () => (told = signal.reason));
          await charging.stop();
          return 'too late';
        },
      }),
    );
    await placeOrder(stopping, 'handed over');
    await charging.arrival();
    await engine(new SmallOrderWorkflow({ charge: async () => 'receipt of the other' }));
    await stopping.runtime.stop();
    await orderIn(stage, 'handed over', 'AwaitingShipment');
    expect(told).toMatchObject({ message: 'The process is shutting down.' });
    expect(await stepOf(stage, 'handed over', 'charge')).toMatchObject({
      attempts: 1,
      output: 'receipt of the other',
    });
    expect(await effectsOf(stage, 'handed over')).toEqual(['reserve', 'release']);
  });

  it('while a claim is under way: the run is handed back, too', async () => {
    const proxy = await PostgresProxy.start(stage.url);
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    const stopping = await engine(workflow, { url: proxy.url(stage.url) });
    const claim = proxy.catchCommit('pawl_claim_named');
    await placeOrder(stopping, 'claimed');
    await claim.caught;
    const stopped = stopping.runtime.stop();
    await claim.deliver();
    await stopped;
    expect(await heldUntil('claimed')).toBeNull();
    expect(await effectsOf(stage, 'claimed')).toEqual([]);
    await stopping.stop();
    engines.splice(0);
    await proxy.close();
  });

  it('within its bound, although a step does not end', async () => {
    const stopping = await engine(
      new SmallOrderWorkflow({ charge: async (key) => key }, async ({ tx }) => {
        await tx.query('select pg_sleep(2)');
      }),
      { drainMs: 50 },
    );
    await placeOrder(stopping, 'asleep');
    const asleep = async () =>
      (
        await stage.rows(
          `select 1 from pg_stat_activity where query = 'select pg_sleep(2)' and state = 'active'`,
        )
      ).length > 0;
    await until(asleep);
    await stopping.runtime.stop();
    expect(await asleep()).toBe(true);
    expect(await heldUntil('asleep')).not.toBeNull();
  });

  it('and begins no further step', async () => {
    const reserving = new Barrier();
    let charges = 0;
    const workflow = new SmallOrderWorkflow({ charge: async () => `${++charges}` }, () => reserving.stop());
    const stopping = await engine(workflow);
    await placeOrder(stopping, 'between');
    const goOn = await reserving.arrival();
    const stopped = stopping.runtime.stop();
    goOn();
    await stopped;
    expect(charges).toBe(0);
    expect(await heldUntil('between')).toBeNull();
  });
});
