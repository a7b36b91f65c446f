import { jest } from '@jest/globals';
import { Slots } from '@pawl/core';
import { EffectLedger, forkService, testDatabase, until } from '@pawl/testing';
import { expectSound } from '../engine/engine-checks.js';
import { BatchSent, BatchWithdrawn, ITEM_EFFECTS } from '../engine/items-workflow.js';
import { openBatches } from './batch-service.js';

jest.setTimeout(90_000);

/** Stories that mostly wait for a lease. */
const AT_ONCE = 3;
const COUNT = 40;

interface Story {
  readonly kind: 'Writes' | 'Calls';
  readonly crashPoint: string;
  /** The item that gives up. */
  readonly bad?: number;
  /** The run is withdrawn once it is dead. */
  readonly withdrawn?: boolean;
  readonly ends: 'completed' | 'compensated';
}

const stories: Record<string, Story> = {
  'before the first of them is begun: all are done once': {
    kind: 'Writes',
    crashPoint: 'items.after-begin',
    ends: 'completed',
  },
  'before some of them are committed: they are rolled back, and done once': {
    kind: 'Writes',
    crashPoint: 'items.before-commit:2',
    ends: 'completed',
  },
  'behind some of them: the others follow': {
    kind: 'Calls',
    crashPoint: 'items.after-commit:7',
    ends: 'completed',
  },
  'in the calls of some of them: they are called again under their keys': {
    kind: 'Calls',
    crashPoint: 'external.after-effect:9',
    ends: 'completed',
  },
  'behind all of them: the run goes on': { kind: 'Calls', crashPoint: 'items.before-end', ends: 'completed' },
  'behind one that has given up: those that are done are undone once': {
    kind: 'Calls',
    crashPoint: 'items.before-give-up',
    bad: 5,
    ends: 'compensated',
  },
  'in the calls of some of them, and the run is withdrawn: those that are done or in doubt are undone once': {
    kind: 'Calls',
    crashPoint: 'external.after-effect:9',
    withdrawn: true,
    ends: 'compensated',
  },
};

async function play({ kind, crashPoint, bad, withdrawn = false, ends }: Story): Promise<void> {
  const database = await testDatabase();
  const ledger = EffectLedger.create();
  const { engine, ...classes } = await openBatches(database.url, ledger, false);
  const env = { BATCH_DATABASE: database.url, BATCH_EFFECTS: ledger.file };
  const worker = forkService('test/crash/batch-service.ts', { env, crashPoint });
  const names = Array.from({ length: COUNT }, (_, n) => (n === bad ? 'bad' : `n${n}`));
  try {
    await engine.rows(ITEM_EFFECTS);
    await worker.ready();
    await engine.client.start(classes[kind], 'one', new BatchSent(names));
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(worker.crashed()).toBe(true);
    if (withdrawn) await engine.client.deliver(classes[kind], 'one', new BatchWithdrawn());
    const successor = await openBatches(database.url, ledger);
    const ended = async () => (await engine.client.runOf(classes[kind], 'one'))?.status === ends;
    try {
      await until(ended, { what: `a run that is ${ends}`, timeoutMs: 40_000 });
    } finally {
      await successor.engine.stop();
    }
    const effects = async (step: string) =>
      (
        await engine.rows<{ item: number }>('select item from app.effect where step = $1 order by item', [
          step,
        ])
      ).map(({ item }) => item);
    const called = new Set(ledger.effects);
    const booked =
      kind === 'Writes'
        ? await effects('book')
        : [...called].map((effect) => Number(effect.split(' ')[0])).toSorted((a, b) => a - b);
    expect(booked).toEqual([...new Set(booked)]);
    if (ends === 'completed') expect(booked).toHaveLength(COUNT);
    else expect(booked.length).toBeLessThan(COUNT);
    const undone = await effects('unbook');
    expect(undone).toEqual([...new Set(undone)]);
    if (ends === 'completed') expect(undone).toEqual([]);
    else expect(undone).toEqual(expect.arrayContaining(booked));
    // An item whose intent was on record, and whose call had not begun: nobody knows that, so it is undone as one in doubt.
    const rows = await engine.rows<{ item: number }>(
      `select item from app.effect where step = 'unbook' and note = 'unknown'`,
    );
    const doubted = rows.map(({ item }) => item);
    expect(undone.filter((item) => !booked.includes(item) && !doubted.includes(item))).toEqual([]);
    await expectSound(engine);
  } finally {
    worker.kill('SIGKILL');
    await worker.exited;
    await engine.stop();
    await database.drop();
    ledger.remove();
  }
}

describe('A process dies between its items', () => {
  const slots = new Slots(AT_ONCE);
  const played = new Map<string, Promise<void>>();

  beforeAll(() => {
    for (const [what, story] of Object.entries(stories)) {
      const one = slots.acquire().then((giveBack) => play(story).finally(giveBack));
      // Reported by its own test.
      one.catch(() => undefined);
      played.set(what, one);
    }
  });

  it.each(Object.keys(stories))('%s', async (what) => played.get(what));
});
