import { startTestEngine, type TestEngine } from '@pawl/testing';
import { NoEffectError, StepDeadlineError, type StepContext } from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { HurryWorkflow, InvoiceWorkflow, type Office, Paid, Sent } from './reminder-workflow.js';

describe('A step waits for its time', () => {
  let engine: TestEngine;
  let office: Office;
  const done: string[] = [];
  const calls: Office = {
    print: async (context) => office.print(context),
    remind: async (context) => office.remind(context),
    recall: async (context) => office.recall?.(context),
  };
  const workflows = () => [new InvoiceWorkflow(calls), new HurryWorkflow(calls)];

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: workflows() });
  });
  beforeEach(() => {
    done.length = 0;
    office = {
      print: async () => void done.push('print'),
      remind: async () => (done.push('remind'), 'letter 1'),
      recall: async () => void done.push('recall'),
    };
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine?.stop());

  const sent = async (key: string) => engine.client.start(InvoiceWorkflow, key, new Sent());
  const run = async (key: string) => engine.client.runOf(InvoiceWorkflow, key);
  const pass = async (by: `${number}${'h' | 'd'}`) => {
    await engine.clock.advance(by);
    await engine.drain();
  };
  const intendedAt = async (key: string, name: string) => {
    const [row] = await engine.rows<{ intended_at: Date }>(
      `select s.intended_at from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 and s.name = $2`,
      [key, name],
    );
    return row?.intended_at;
  };

  it('is not begun before its delay has passed, and keeps nobody waiting who has none', async () => {
    await sent('in time');
    await engine.drain();
    expect(await stepOf(engine, 'in time', 'remind')).toMatchObject({ status: 'open', attempts: 0 });
    expect(await run('in time')).toMatchObject({ status: 'running', state: 'Sent' });
    await pass('6d');
    expect(done).toEqual(['print']);
    expect(await intendedAt('in time', 'print')).toEqual(await engine.clock.now());
    await pass('23h');
    expect(done).toEqual(['print']);
    await pass('1h');
    expect(done).toEqual(['print', 'remind']);
    expect(await intendedAt('in time', 'remind')).toEqual(await engine.clock.now());
    expect(await run('in time')).toMatchObject({ status: 'completed', state: 'Reminded' });
  });

  it('an engine that is started meanwhile goes on with the same delay', async () => {
    await sent('restarted');
    await engine.drain();
    await engine.clock.advance('4d');
    const second = await startTestEngine({ workflows: workflows(), databaseUrl: engine.databaseUrl });
    try {
      await second.drain();
      await engine.clock.advance('2d');
      await second.drain();
      expect(done).toEqual(['print']);
      await engine.clock.advance('1d');
      await second.drain();
    } finally {
      await second.stop();
    }
    expect(done).toEqual(['print', 'remind']);
  });

  it('its run is moved by an event meanwhile: it is never begun', async () => {
    await sent('paid');
    await engine.drain();
    await engine.client.deliver(InvoiceWorkflow, 'paid', new Paid());
    await pass('10d');
    expect(done).toEqual([]);
    expect(await run('paid')).toMatchObject({ status: 'completed', state: 'Paid' });
  });

  it('its run is cancelled meanwhile: it is never begun, and nothing is undone', async () => {
    await sent('cancelled');
    await engine.drain();
    await engine.runtime.control
      .of(InvoiceWorkflow, 'cancelled')
      .cancel({ actor: 'ann', reason: 'by mistake' });
    await pass('10d');
    expect(done).toEqual([]);
    expect(await run('cancelled')).toMatchObject({ status: 'cancelled' });
  });

  describe('and has a deadline', () => {
    it('is tried until then, and not after it', async () => {
      const keys = new Set<string>();
      office.remind = async ({ idempotencyKey }) => {
        keys.add(idempotencyKey);
        throw new NoEffectError('the printer is off');
      };
      await sent('over');
      await engine.drain();
      await pass('7d');
      for (let hour = 0; hour < 20; hour += 5) await pass('5h');
      // The sixth would be due an hour behind the deadline: nobody waits for it.
      const step = await stepOf(engine, 'over', 'remind');
      expect(step).toMatchObject({ status: 'failed', attempts: 5 });
      expect(step?.errors.at(-1)?.message).toBe('The time for all attempts at remind is up, after 5.');
      expect(keys.size).toBe(1);
      expect(await run('over')).toMatchObject({ status: 'failed', state: 'Sent' });
    });

    it('that has passed while nobody was at work: it is not begun any more', async () => {
      await sent('outage');
      await engine.drain();
      await pass('9d');
      expect(done).toEqual(['print']);
      expect(await stepOf(engine, 'outage', 'remind')).toMatchObject({ status: 'failed', attempts: 0 });
      expect(await run('outage')).toMatchObject({ status: 'failed' });
    });
  });

  describe('and its time is up during an attempt', () => {
    const hangs = async ({ signal }: Pick<StepContext<object>, 'signal'>): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          reject(signal.reason as Error);
        });
      });
    const reasons: unknown[] = [];
    const hurry = async (key: string) => {
      reasons.length = 0;
      await engine.client.start(HurryWorkflow, key, new Sent());
      await engine.drain();
      return engine.client.runOf(HurryWorkflow, key);
    };

    it('of a call: it is told so, and what is in doubt is undone', async () => {
      office.remind = hangs;
      expect(await hurry('hangs')).toMatchObject({ status: 'compensating', state: 'Open' });
      // What it has asked for may be under way for another second.
      await engine.clock.advance('2s');
      await engine.drain();
      expect(await engine.client.runOf(HurryWorkflow, 'hangs')).toMatchObject({
        status: 'compensated',
        state: 'Open',
      });
      expect(reasons).toEqual([expect.any(StepDeadlineError)]);
      expect(done).toEqual(['print', 'recall']);
      expect(await stepOf(engine, 'hangs', 'remind')).toMatchObject({ status: 'failed', attempts: 1 });
    });

    it('of a transactional step: it is rolled back and has failed', async () => {
      office.print = hangs;
      expect(await hurry('prints for ever')).toMatchObject({ status: 'failed' });
      expect(reasons).toEqual([expect.any(StepDeadlineError)]);
      expect(await stepOf(engine, 'prints for ever', 'print')).toMatchObject({
        status: 'failed',
        attempts: 1,
      });
    });
  });
});
