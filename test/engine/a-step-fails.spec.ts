import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { PermanentError, type StepContext, workflow } from '@pawl/workflow';
import { endLease, expectSound, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'task.ordered', version: 1 })
class Ordered {}

@MessageType({ name: 'task.cancelled', version: 1 })
class Cancelled {}

interface Context extends StepContext<object> {
  readonly calls: number;
}
type Work = (context: Context) => Promise<unknown>;

const shape = { version: 1, states: ['Ordered', 'Done', 'Cancelled'], final: ['Done', 'Cancelled'] } as const;
const writing = workflow<object>()('writing', shape);
const calling = workflow<object>()('calling', shape);
const retry = {
  attempts: 3,
  backoff: 'fixed',
  delay: 5,
  retryIf: (error: unknown) => (error as Error).message !== 'hopeless',
} as const;

/** What the spec has the steps do, by the key of their run. */
class Script {
  readonly work = new Map<string, Work>();
  readonly calls = new Map<string, number>();

  async run(context: StepContext<object>): Promise<unknown> {
    const calls = (this.calls.get(context.key) ?? 0) + 1;
    this.calls.set(context.key, calls);
    return this.work.get(context.key)?.({
      ...withoutTx(context),
      get tx() {
        return context.tx;
      },
      calls,
    });
  }
}

function withoutTx({
  runId,
  key,
  data,
  outputs,
  idempotencyKey,
  attempt,
  index,
  item,
  signal,
  send,
  request,
}: StepContext<object>) {
  return { runId, key, data, outputs, idempotencyKey, attempt, index, item, signal, send, request };
}

@writing.Workflow()
class WritingWorkflow {
  constructor(private readonly script: Script) {}

  @writing.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @writing.On(Cancelled, { in: 'Ordered', to: 'Cancelled', competes: true })
  cancelled(): void {}

  @writing.Step({ in: 'Ordered', to: 'Done', retry, timeout: 300 })
  async write(context: StepContext<object>): Promise<unknown> {
    return this.script.run(context);
  }
}

@calling.Workflow()
class CallingWorkflow {
  constructor(private readonly script: Script) {}

  @calling.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @calling.On(Cancelled, { in: 'Ordered', to: 'Cancelled', competes: true })
  cancelled(): void {}

  @calling.Step({ in: 'Ordered', to: 'Done', effect: 'external', retry, timeout: 300 })
  async call(context: StepContext<object>): Promise<unknown> {
    return this.script.run(context);
  }
}

describe('A step fails', () => {
  let stage: EngineStage;
  const script = new Script();
  const workflows = [new WritingWorkflow(script), new CallingWorkflow(script)];
  const schema = 'create schema app; create table app.written (key text)';

  beforeAll(async () => {
    stage = await startEngine({ workflows, schema, options: { rescueEveryMs: 20 } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  type Kind = readonly [kind: string, type: typeof WritingWorkflow | typeof CallingWorkflow, step: string];
  const transactional: Kind = ['transactional', WritingWorkflow, 'write'];
  const external: Kind = ['external', CallingWorkflow, 'call'];

  async function perform([kind, type]: Kind, name: string, work: Work): Promise<string> {
    const key = `${kind} ${name}`;
    script.work.set(key, work);
    await stage.client.start(type, key, new Ordered());
    return key;
  }
  const ended = async ([, type]: Kind, key: string, status: string) =>
    until(
      async () => {
        const run = await stage.client.runOf(type, key);
        return run?.status === status ? run : undefined;
      },
      { what: `${key} ${status}` },
    );

  describe.each([transactional, external])('that is %s', (...kind) => {
    const [, type, step] = kind;

    it('and is tried again until it succeeds, always under one key', async () => {
      const keys = new Set<string>();
      const attempts: number[] = [];
      const key = await perform(kind, 'succeeds', async ({ calls, attempt, idempotencyKey }) => {
        attempts.push(attempt);
        keys.add(idempotencyKey);
        if (calls < 3) throw new Error(`not at call ${calls}`);
        return 'at last';
      });
      await ended(kind, key, 'completed');
      expect(attempts).toEqual([1, 2, 3]);
      expect(keys.size).toBe(1);
      const errors = [{ message: 'not at call 1' }, { message: 'not at call 2' }];
      expect(await stepOf(stage, key, step)).toMatchObject({
        status: 'done',
        attempts: 3,
        output: 'at last',
        errors,
      });
    });

    it('as often as its policy allows: the run fails and a person is asked', async () => {
      const key = await perform(kind, 'exhausted', async () => Promise.reject(new Error('never')));
      expect(await ended(kind, key, 'failed')).toMatchObject({
        state: 'Ordered',
        attention: `step ${step} failed: never`,
      });
      expect(await stepOf(stage, key, step)).toMatchObject({ status: 'failed', attempts: 3 });
      expect(script.calls.get(key)).toBe(3);
    });

    it('for good: no further attempt', async () => {
      const key = await perform(kind, 'permanent', async () =>
        Promise.reject(new PermanentError('card declined')),
      );
      expect(await ended(kind, key, 'failed')).toMatchObject({
        attention: `step ${step} failed: card declined`,
      });
      expect(script.calls.get(key)).toBe(1);
    });

    it('with an error that its policy does not retry', async () => {
      const key = await perform(kind, 'hopeless', async () => Promise.reject(new Error('hopeless')));
      await ended(kind, key, 'failed');
      expect(script.calls.get(key)).toBe(1);
    });

    it('by its timeout: its signal is aborted, and the attempt is spent', async () => {
      const key = await perform(kind, 'hangs', async ({ calls, signal }) => {
        if (calls > 1) return 'in time';
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      });
      await ended(kind, key, 'completed');
      expect(await stepOf(stage, key, step)).toMatchObject({
        attempts: 2,
        errors: [{ message: expect.stringContaining('longer than its timeout of 300 ms') }],
      });
    });

    it('by its timeout also if it does not listen to its signal', async () => {
      const key = await perform(
        kind,
        'is deaf',
        async ({ calls }) => calls > 1 || new Promise(() => undefined),
      );
      await ended(kind, key, 'completed');
      expect(await stepOf(stage, key, step)).toMatchObject({
        attempts: 2,
        errors: [{ name: 'StepTimeoutError' }],
      });
    });

    it('because its output is too large to keep', async () => {
      const key = await perform(kind, 'too large', async () => 'x'.repeat(70_000));
      const { attention } = await ended(kind, key, 'failed');
      expect(attention).toContain('returned 70002 bytes of JSON, more than 65536');
    });

    it('and an event that comes after its run has failed waits for a redrive', async () => {
      const key = await perform(kind, 'over', async () => Promise.reject(new PermanentError('no')));
      await ended(kind, key, 'failed');
      const receipt = await stage.client.deliver(type, key, new Cancelled());
      expect(receipt).toMatchObject({ verdict: 'early', rule: 'run-failed', status: 'failed' });
    });
  });

  it('after it has written: what it wrote is rolled back', async () => {
    const key = await perform(transactional, 'wrote', async ({ calls, key: own, tx }) => {
      await tx.query('insert into app.written values ($1)', [own]);
      if (calls === 1) throw new Error('after writing');
    });
    await ended(transactional, key, 'completed');
    expect(await stage.rows('select key from app.written where key = $1', [key])).toHaveLength(1);
  });

  it('because it wants a transaction and is external', async () => {
    const key = await perform(external, 'wants tx', async ({ tx }) => tx.query('select 1'));
    const { attention } = await ended(external, key, 'failed');
    expect(attention).toContain('Step call is external and has no transaction');
  });

  it('by crashes only: each has spent an attempt, for the call may have been made', async () => {
    const dying = new Barrier();
    const key = await perform(external, 'crashes', () => dying.stop());
    const zombies: (() => void)[] = [];
    for (let crash = 0; crash < 3; crash++) {
      zombies.push(await dying.arrival());
      await endLease(stage, key);
    }
    const { attention } = await ended(external, key, 'failed');
    expect(attention).toContain('All 3 attempts at call are spent; the last ended without an answer');
    for (const goOn of zombies) goOn();
    await until(() => stage.runtime.worker.idle);
    expect(await stepOf(stage, key, 'call')).toMatchObject({ status: 'failed', attempts: 3 });
  });
});
