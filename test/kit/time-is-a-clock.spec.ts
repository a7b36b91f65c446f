import { startTestEngine, type TestEngine, until } from '@pawl/testing';
import {
  Accepted,
  EFFECTS,
  type Gateway,
  ItemAdded,
  SmallOrderWorkflow,
  Submitted,
} from '../engine/small-order.js';

describe('an engine whose clock stands still', () => {
  let engine: TestEngine;
  let gateway: Gateway;
  const charged: string[] = [];

  beforeAll(async () => {
    const charge: Gateway['charge'] = (key, signal) => gateway.charge(key, signal);
    engine = await startTestEngine({ workflows: [new SmallOrderWorkflow({ charge })], schema: EFFECTS });
  });

  beforeEach(() => {
    charged.length = 0;
    gateway = { charge: async (key) => (charged.push(key), `receipt of ${key}`) };
  });

  afterAll(async () => engine?.stop());

  const stateOf = async (key: string): Promise<string | null | undefined> =>
    (await engine.client.runOf(SmallOrderWorkflow, key))?.state;

  const submit = async (key: string): Promise<void> => {
    await engine.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
    await engine.client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'));
  };

  const accept = async (key: string): Promise<void> => {
    await submit(key);
    await engine.client.deliver(SmallOrderWorkflow, key, new Accepted(1));
  };

  it('does nothing by itself, and all that is due when it is told to', async () => {
    await accept('a-1');
    expect(await stateOf('a-1')).toBe('Accepted');
    expect(charged).toEqual([]);
    expect(await engine.drain()).toBeGreaterThan(0);
    expect(await stateOf('a-1')).toBe('AwaitingShipment');
    expect(charged).toHaveLength(1);
    expect(await engine.drain()).toBe(0);
  });

  it('fires a timeout of 30 minutes when they have passed, and not before', async () => {
    await submit('a-2');
    await engine.clock.advance('29m');
    expect(await engine.drain()).toBe(0);
    expect(await stateOf('a-2')).toBe('Submitted');
    await engine.clock.advance('1m');
    expect(await engine.tick()).toBe(1);
    expect(await stateOf('a-2')).toBe('Cancelled');
  });

  it('makes the next attempt when its time has come', async () => {
    let failures = 2;
    gateway = {
      charge: async (key) => {
        charged.push(key);
        if (failures-- > 0) throw new Error('busy');
        return 'receipt';
      },
    };
    await accept('a-3');
    await engine.drain();
    expect(charged).toHaveLength(1);
    await engine.clock.advance('1m');
    await engine.drain();
    await engine.clock.advance('1h');
    await engine.drain();
    expect(charged).toHaveLength(3);
    expect(new Set(charged).size).toBe(1);
    expect(await stateOf('a-3')).toBe('AwaitingShipment');
  });

  it('has one time in all columns', async () => {
    const clock = await engine.clock.now();
    await engine.client.start(SmallOrderWorkflow, 'a-4', new Submitted('Ada'));
    const rows = await engine.rows<{ created_at: Date; at: Date; started: Date }>(
      `select r.created_at, j.at, now() as started from pawl.run r join pawl.journal j on j.run_id = r.id where r.key = 'a-4'`,
    );
    expect(rows).toEqual([{ created_at: clock, at: clock, started: clock }]);
  });

  it('takes a run again whose worker has not been heard of for longer than its lease', async () => {
    let answer: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      gateway = {
        charge: (key) => {
          charged.push(key);
          resolve();
          return new Promise((done) => (answer = () => done('receipt')));
        },
      };
    });
    await accept('a-5');
    const first = engine.drain();
    await begun;
    gateway = { charge: async (key) => (charged.push(key), 'receipt') };
    await engine.clock.advance('1h');
    const second = engine.tick();
    await until(() => charged.length === 2);
    answer();
    await Promise.all([first, second]);
    expect(new Set(charged).size).toBe(1);
    expect(await stateOf('a-5')).toBe('AwaitingShipment');
  });
});
