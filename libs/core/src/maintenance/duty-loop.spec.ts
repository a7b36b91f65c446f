import { until } from '@pawl/testing';
import { DutyLoop } from './duty-loop.js';

const HOUR_MS = 3_600_000;

/** A duty that answers what the spec has put up, then that there is nothing to do. */
function stage(answers: (number | Error)[], everyMs = HOUR_MS) {
  const state = { passes: 0, errors: [] as unknown[], signal: undefined as AbortSignal | undefined };
  const duty = {
    name: 'spec',
    everyMs,
    async pass(signal: AbortSignal): Promise<number> {
      state.passes++;
      state.signal = signal;
      const answer = answers.shift() ?? 0;
      if (typeof answer === 'number') return answer;
      throw answer;
    },
  };
  const loop = new DutyLoop(duty, (_, error) => state.errors.push(error));
  return { loop, state, answers };
}

const passed = async ({ state }: ReturnType<typeof stage>, count: number): Promise<unknown> =>
  until(() => state.passes === count, { everyMs: 2 });

it('goes on at once while there is work, then waits', async () => {
  const one = stage([3, 1, 0]);
  one.loop.start();
  await passed(one, 3);
  await one.loop.stop();
  expect(one.state.passes).toBe(3);
});

it('looks again after its interval', async () => {
  const one = stage([], 1);
  one.loop.start();
  await until(() => one.state.passes > 3);
  await one.loop.stop();
});

it('looks at once when it is woken, also during a pass', async () => {
  const one = stage([]);
  one.loop.start();
  await passed(one, 1);
  one.loop.wake();
  await passed(one, 2);
  const wakesItself = {
    name: 'spec',
    everyMs: HOUR_MS,
    passes: 0,
    pass: async () => (wakesItself.passes++ === 0 && loop.wake(), 0),
  };
  const loop: DutyLoop = new DutyLoop(wakesItself, () => undefined);
  loop.start();
  await until(() => wakesItself.passes === 2);
  await Promise.all([one.loop.stop(), loop.stop()]);
});

it('reports a pass that threw and tries again, sooner than its interval', async () => {
  const one = stage([new Error('first'), new Error('second'), 0]);
  one.loop.start();
  await passed(one, 3);
  await one.loop.stop();
  expect(one.state.errors).toMatchObject([{ message: 'first' }, { message: 'second' }]);
});

it('runs one loop however often it is started', async () => {
  const one = stage([]);
  one.loop.start();
  one.loop.start();
  await passed(one, 1);
  await one.loop.stop();
  expect(one.state.passes).toBe(1);
});

it('lets the pass under way end, tells it by its signal, and starts no other', async () => {
  let end: (done: number) => void = () => undefined;
  let passes = 0;
  let told: AbortSignal | undefined;
  const pass = (signal: AbortSignal) =>
    new Promise<number>((resolve) => ((end = resolve), (told = signal), passes++));
  const loop = new DutyLoop({ name: 'spec', everyMs: 1, pass }, () => undefined);
  loop.start();
  const stopped = loop.stop();
  expect(told?.aborted).toBe(true);
  end(5);
  await stopped;
  expect(passes).toBe(1);
});

it('may be stopped before it was started', async () => {
  await stage([]).loop.stop();
});
