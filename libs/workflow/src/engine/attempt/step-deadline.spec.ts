import type { Run } from '../../model/run.js';
import { callStep } from './step-call.js';

const run = { id: '01a1fdeb-8f7f-752d-9468-2e20ce993219', key: 'k', round: 0, data: {} } as unknown as Run;
const of = { kind: 'step', undoes: null, item: -1, generation: 0, effect: 'external' } as const;

async function hangs(name: string, limits: { readonly timeoutMs: number; readonly deadlineMs?: number }) {
  const heard: unknown[] = [];
  const failed = await callStep({
    ...limits,
    attempted: { ...of, name },
    perform: ({ signal }) =>
      new Promise(() => signal.addEventListener('abort', () => heard.push((signal.reason as Error).name))),
    run,
    outputs: {},
    attempt: 2,
    signal: new AbortController().signal,
  }).catch((error: unknown) => error);
  return { name, heard, failed };
}

it('an attempt ends with what is left until the deadline of its step, if that is less than its timeout', async () => {
  const first = await Promise.race([
    hangs('by its deadline', { timeoutMs: 10_000, deadlineMs: 10 }),
    hangs('by its timeout', { timeoutMs: 1_000 }),
  ]);
  expect(first).toMatchObject({
    name: 'by its deadline',
    heard: ['StepDeadlineError'],
    failed: { code: 'step_failed', cause: { code: 'step_deadline', details: { attempts: 2 } } },
  });
});

it('and else by its timeout', async () => {
  expect(await hangs('timeout', { timeoutMs: 10, deadlineMs: 10_000 })).toMatchObject({
    failed: { cause: { code: 'step_timeout' } },
  });
});
