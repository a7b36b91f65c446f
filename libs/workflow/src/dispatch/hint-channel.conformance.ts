import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { v4 as uuidv4 } from 'uuid';
import type { HintChannel, HintHandler, RunHint } from './hints.js';

/** One promise that a {@link HintChannel} keeps, with the check that it does. */
export interface HintChannelCheck<Bench> {
  readonly promise: string;
  /** Throws when the promise is broken. */
  readonly check: (bench: Bench) => Promise<void>;
}

/** What every channel is tested with, fresh for each check. */
export interface HintBench {
  /** Another channel, as of another process, on one and the same queue. Whoever made the bench closes it. */
  readonly open: () => HintChannel;
}

/** For a channel whose hints stand in a queue on a server. */
export interface QueueBench extends HintBench {
  /** Puts a job into the queue that is none of ours. */
  readonly forge: (data: unknown) => Promise<void>;
  /** Jobs of the queue that the server knows, in whatever state. */
  readonly kept: () => Promise<number>;
}

/** For a channel whose server can be taken away. */
export interface OutageBench extends HintBench {
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/** Everything that a channel does is over by then, also without its server. */
const BOUND_MS = 20_000;

/**
 * What the engine relies on, for adapters to be tested with: `it.each(hintChannelConformance)('$promise', ...)`. No test framework is needed. Hints
 * may be lost, so a check uses a queue that is well.
 */
export const hintChannelConformance: readonly HintChannelCheck<HintBench>[] = [
  {
    promise: 'hands each hint to one of its consumers at least',
    check: async ({ open }) => {
      const [one, two, sender] = [consumer(open()), consumer(open()), open()];
      const hints = runHints(50);
      for (const hint of hints) await sender.send([hint]);
      await eventually(() => isCovered(hints, [...one.runs, ...two.runs]));
    },
  },
  {
    promise: 'carries many hints that are sent together',
    check: async ({ open }) => {
      const { runs } = consumer(open());
      const hints = runHints(100);
      await open().send(hints);
      await eventually(() => isCovered(hints, runs));
    },
  },
  {
    promise: 'sends nothing when there is nothing to send',
    check: async ({ open }) => open().send([]),
  },
  {
    promise: 'carries the address of an event, whatever its id',
    check: async ({ open }) => {
      const { events } = consumer(open());
      const [workflow, key] = ['order', 'ä:1'];
      await open().send([{ eventId: 'a:b:c:d', workflow, key }]);
      await open().send([{ eventId: '17', workflow, key }]);
      await eventually(() => events.length >= 2);
      assert.deepEqual(events[0], { workflow, key });
    },
  },
  {
    promise: 'takes a hint with a new dispatch number for a new one, also while the former is handled',
    check: async ({ open }) => {
      const runId = uuidv4();
      let [calls, release] = [0, (): void => undefined];
      const first = new Promise<void>((resolve) => (release = resolve));
      open().consume({
        runs: async () => {
          if (++calls === 1) await first;
        },
        event: async () => undefined,
      });
      const sender = open();
      await sender.send([{ runId, dispatch: 1 }]);
      await eventually(() => calls === 1);
      await sender.send([{ runId, dispatch: 2 }]);
      await eventually(() => calls === 2);
      release();
    },
  },
  {
    promise: 'hands out nothing once it is paused, while another consumer goes on',
    check: async ({ open }) => {
      const [paused, other] = [open(), consumer(open())];
      const { runs } = consumer(paused);
      await paused.pause();
      const before = runs.length;
      const hints = runHints(20);
      await open().send(hints);
      await eventually(() => isCovered(hints, other.runs));
      assert.equal(runs.length, before);
    },
  },
  {
    promise: 'pauses and closes without ever having been used',
    check: async ({ open }) => {
      const [unused, consuming] = [open(), open()];
      consumer(consuming);
      await bounded(unused.pause());
      await bounded(Promise.all([unused.close(), consuming.close()]));
    },
  },
];

/** What is relied on besides where hints stand in a queue. */
export const queuedHintsConformance: readonly HintChannelCheck<QueueBench>[] = [
  {
    promise: 'keeps hints until somebody consumes',
    check: async ({ open }) => {
      const hints = runHints(10);
      await open().send(hints);
      const { runs } = consumer(open());
      await eventually(() => isCovered(hints, runs));
    },
  },
  {
    promise: 'names several runs in one job',
    check: async ({ open, kept }) => {
      await open().send(runHints(40));
      assert.ok((await kept()) <= 10);
    },
  },
  {
    promise: 'ignores jobs that are forged or have lost their content, and goes on',
    check: async ({ open, forge }) => {
      const forged = [
        ...[{}, { runIds: 'all' }, { runIds: [1, null, 'no id', {}] }, { workflow: 1, key: {} }],
        { runIds: Array.from({ length: 101 }, () => uuidv4()) },
      ];
      for (const data of forged) await forge(data);
      const { runs, events } = consumer(open());
      const hints = runHints(1);
      await open().send(hints);
      await eventually(() => isCovered(hints, runs));
      assert.deepEqual([runs.length, events.length], [1, 0]);
    },
  },
  {
    promise: 'keeps nothing of a hint that was handed out',
    check: async ({ open, kept }) => {
      const { runs } = consumer(open());
      const hints = runHints(30);
      await open().send(hints);
      await eventually(() => isCovered(hints, runs));
      await eventually(async () => (await kept()) === 0);
    },
  },
];

/** What is relied on when the server is away. */
export const hintOutageConformance: readonly HintChannelCheck<OutageBench>[] = [
  {
    promise: 'opens while the server is away, refuses hints within a bound, and works when it has come',
    check: async ({ open, kill, start }) => {
      await kill();
      const { runs } = consumer(open());
      const sender = open();
      await bounded(assert.rejects(sender.send(runHints(1))));
      await start();
      await eventuallyArrives(sender, runs);
    },
  },
  {
    promise: 'refuses hints within a bound after the server has died, and heals by itself',
    check: async ({ open, kill, start }) => {
      const { runs } = consumer(open());
      const sender = open();
      await eventuallyArrives(sender, runs);
      await kill();
      await bounded(assert.rejects(sender.send(runHints(1))));
      await start();
      await eventuallyArrives(sender, runs);
    },
  },
  {
    promise: 'closes within a bound when the server is gone',
    check: async ({ open, kill, start }) => {
      const [sender, consuming] = [open(), open()];
      const { runs } = consumer(consuming);
      await eventuallyArrives(sender, runs);
      await kill();
      await bounded(consuming.pause());
      await bounded(Promise.all([sender.close(), consuming.close()]));
      await start();
    },
  },
];

interface Consumed {
  readonly runs: string[];
  readonly events: { readonly workflow: string; readonly key: string }[];
}

function consumer(channel: HintChannel): Consumed {
  const consumed: Consumed = { runs: [], events: [] };
  const handler: HintHandler = {
    runs: async (runIds) => void consumed.runs.push(...runIds),
    event: async (address) => void consumed.events.push(address),
  };
  channel.consume(handler);
  return consumed;
}

function runHints(count: number): RunHint[] {
  return Array.from({ length: count }, () => ({ runId: uuidv4(), dispatch: 1 }));
}

function isCovered(hints: readonly RunHint[], runs: readonly string[]): boolean {
  const seen = new Set(runs);
  return hints.every(({ runId }) => seen.has(runId));
}

/** Sends new hints, for one may be lost in the outage, until one has arrived. */
async function eventuallyArrives(sender: HintChannel, runs: readonly string[]): Promise<void> {
  const before = runs.length;
  await eventually(async () => {
    await sender.send(runHints(1)).catch(() => undefined);
    return runs.length > before;
  });
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + BOUND_MS; !(await condition()); await pause(10)) {
    assert.ok(performance.now() < deadline, 'waited in vain for hints');
  }
}

async function bounded(work: Promise<unknown>): Promise<void> {
  const stopping = new AbortController();
  const late = pause(BOUND_MS, 'late', { signal: stopping.signal }).catch(() => undefined);
  const first = await Promise.race([work.then(() => 'in time'), late]);
  stopping.abort();
  assert.equal(first, 'in time');
}
