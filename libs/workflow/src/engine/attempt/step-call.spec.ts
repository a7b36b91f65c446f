import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, runInThisContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import type { StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { StoppingError } from '../activate/lease-keeper.js';
import { callStep } from './step-call.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--allow-natives-syntax');
const prepareToOptimize = runInThisContext('(f) => %PrepareFunctionForOptimization(f)') as (
  f: unknown,
) => void;
const optimize = runInThisContext('(f) => %OptimizeFunctionOnNextCall(f)') as (f: unknown) => void;

const run = { id: '01a1fdeb-8f7f-752d-9468-2e20ce993219', key: 'k', round: 0, data: {} } as unknown as Run;

function call(behave: StepDefinition['run'], signal: AbortSignal, timeoutMs = 50, leftMs?: number) {
  const attempted = {
    kind: 'step',
    name: 'charge',
    undoes: null,
    item: -1,
    generation: 0,
    effect: 'external',
  } as const;
  const given = { attempted, timeoutMs, perform: behave, run, outputs: {}, attempt: 1, signal };
  return callStep({ ...given, ...(leftMs !== undefined && { leftMs }) });
}
const never = (): Promise<never> => new Promise(() => undefined);

it('ends a step that listens to nothing when its time is up', async () => {
  await expect(call(never, new AbortController().signal)).rejects.toMatchObject({
    cause: { code: 'step_timeout' },
  });
});

it('aborts the signal of the step when its time is up, with the reason', async () => {
  const heard: unknown[] = [];
  const listen: StepDefinition['run'] = async ({ signal }) => {
    signal.addEventListener('abort', () => heard.push((signal.reason as { code?: string }).code));
    return never();
  };
  await call(listen, new AbortController().signal).catch(() => undefined);
  expect(heard).toEqual(['step_timeout']);
});

it('ends a step when the lease is lost, with that reason', async () => {
  const lease = new AbortController();
  const failed = call(never, lease.signal, 60_000).catch((error: unknown) => error);
  lease.abort(new Error('lost'));
  expect(await failed).toMatchObject({ code: 'step_failed', cause: { message: 'lost' } });
});

it('does not begin a step when the lease was lost, or the process stopped, before', async () => {
  let begun = false;
  const lease = AbortSignal.abort(new Error('lost'));
  const failed = call(async () => (begun = true), lease, 60_000);
  await expect(failed).rejects.toMatchObject({
    cause: { code: 'no_effect', message: 'Step charge was not begun: lost' },
  });
  expect(begun).toBe(false);
});

it('keeps its time also when the code is optimised and garbage is collected meanwhile', async () => {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  prepareToOptimize(callStep);
  for (let n = 0; n < 100; n++) await call(async () => n, signal);
  optimize(callStep);
  const calls = Array.from({ length: 20 }, () => call(never, signal).catch((error: unknown) => error));
  await turn();
  await turn();
  collectGarbage();
  for (const error of await Promise.all(calls))
    expect(error).toMatchObject({ cause: { code: 'step_timeout' } });
});

describe('an attempt that somebody counts on to have no effect after a while', () => {
  it('is ended by then, although its timeout is longer', async () => {
    await expect(call(never, new AbortController().signal, 60_000, 5)).rejects.toMatchObject({
      cause: { code: 'step_timeout' },
    });
  });

  it('is not begun after that', async () => {
    let begun = false;
    const late = call(async () => (begun = true), new AbortController().signal, 60_000, 0);
    await expect(late).rejects.toMatchObject({ cause: { code: 'no_effect' } });
    expect(begun).toBe(false);
  });
});

describe('a call that is never made again', () => {
  const attempted = {
    kind: 'step',
    name: 'mail',
    undoes: null,
    item: -1,
    generation: 0,
    effect: 'external',
  } as const;
  const mail = (signal: AbortSignal, answered: Promise<string>) =>
    callStep({
      attempted,
      timeoutMs: 60_000,
      perform: () => answered,
      run,
      outputs: {},
      attempt: 1,
      signal,
      finishes: true,
    });

  it('may end although the process stops', async () => {
    const stopping = new AbortController();
    const sent = mail(stopping.signal, turn('sent'));
    stopping.abort(new StoppingError('The process is shutting down.'));
    expect(await sent).toMatchObject({ output: 'sent' });
  });

  it('is not begun then', async () => {
    const sent = mail(AbortSignal.abort(new StoppingError('The process is shutting down.')), turn('sent'));
    await expect(sent).rejects.toMatchObject({ cause: { code: 'no_effect' } });
  });

  it('ends when its lease is lost', async () => {
    const lease = new AbortController();
    const sent = mail(lease.signal, never());
    lease.abort(new Error('lost'));
    await expect(sent).rejects.toMatchObject({ cause: { message: 'lost' } });
  });
});

it.each([
  ['no JSON', { cents: 1n }, 'output_invalid'],
  ['too much', 'x'.repeat(70_000), 'output_too_large'],
])('gives up on a step that returned %s, and what it has done stays in doubt', async (_, output, code) => {
  await expect(call(async () => output, new AbortController().signal)).rejects.toMatchObject({
    cause: { code: 'permanent_error', details: { code, inDoubt: true } },
  });
});
