import { startTestEngine, type TestEngine } from '@pawl/testing';
import { recordDelay } from '../../libs/workflow/src/store/step-delay.js';
import type { AttemptAt } from '../../libs/workflow/src/store/step-attempts.js';
import { InvoiceWorkflow, Paid, Sent } from './reminder-workflow.js';

describe('A delay is recorded', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    const office = { print: async () => undefined, remind: async () => '' };
    engine = await startTestEngine({ workflows: [new InvoiceWorkflow(office)] });
  });
  afterAll(async () => engine?.stop());

  /** What a worker with this token would write. */
  async function attempt(key: string, fencingToken: number): Promise<AttemptAt> {
    await engine.client.start(InvoiceWorkflow, key, new Sent());
    const run = await engine.client.runOf(InvoiceWorkflow, key);
    if (!run) throw new Error('no run');
    const of = {
      kind: 'step',
      name: 'print',
      undoes: null,
      item: -1,
      generation: 0,
      effect: 'external',
    } as const;
    return { ...of, run, fencingToken, attemptId: run.id, idempotencyKey: run.id };
  }
  const record = async (at: AttemptAt, delayMs: number) =>
    engine.messaging.transactions.run((tx) => recordDelay(tx, at, { delayMs }));
  const rowsOf = async ({ run }: AttemptAt) =>
    engine.rows<{ ms: number }>(
      `select (extract(epoch from next_attempt_at - clock_timestamp()) * 1000)::int as ms from pawl.step where run_id = $1`,
      [run.id],
    );

  it('once: whoever comes second finds the instant, and does not begin the delay again', async () => {
    const at = await attempt('twice', 0);
    expect(await record(at, 1_000)).toBe(true);
    expect(await record(at, 9_000)).toBe(false);
    expect(await rowsOf(at)).toEqual([{ ms: 1_000 }]);
  });

  it('not by a worker that has lost its lease', async () => {
    const at = await attempt('lost', 7);
    expect(await record(at, 1_000)).toBe(false);
    expect(await rowsOf(at)).toEqual([]);
  });

  it('not in a state that the run has left', async () => {
    const at = await attempt('left', 0);
    await engine.client.deliver(InvoiceWorkflow, 'left', new Paid());
    expect(await record(at, 1_000)).toBe(false);
    expect(await rowsOf(at)).toEqual([]);
  });
});
