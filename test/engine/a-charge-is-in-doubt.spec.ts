import { startTestEngine, type TestEngine } from '@pawl/testing';
import {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  happened,
  type StepContext,
  unknown,
  workflow,
} from '@pawl/workflow';
import { expectSound, stepOf, verdictsOf } from './engine-checks.js';
import { Agency, CalledOff, Ordered } from './trip.js';

type Context = StepContext<object>;
type Asked = Confirmation<unknown>;

const shape = {
  version: 1,
  states: ['Ordered', 'Paid', 'CalledOff'],
  final: ['Paid', 'CalledOff'],
} as const;
const asking = workflow<object>()('asking', shape);
const repeating = workflow<object>()('repeating', shape);
const retry = { attempts: 2, backoff: 'fixed', delay: 10 } as const;

/** Where nobody can say, a person is asked. */
@asking.Workflow()
class AskingWorkflow {
  constructor(private readonly agency: Agency) {}

  @asking.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @asking.On(CalledOff, { in: 'Ordered', to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @asking.Step({ in: 'Ordered', to: 'Paid', effect: 'external', retry, timeout: 200 })
  async charge(context: Context): Promise<unknown> {
    return this.agency.call('charge', context);
  }

  @asking.Confirm('charge', { retry })
  async wasCharged(context: Context): Promise<Asked> {
    return (await this.agency.call('wasCharged', context)) as Asked;
  }

  @asking.Compensate('charge', { retry })
  async refund(context: CompensationContext<object, unknown>): Promise<void> {
    return this.agency.undo('refund', context);
  }
}

/** Where nobody can say, the charge is made again under its key. */
@repeating.Workflow()
class RepeatingWorkflow {
  constructor(private readonly agency: Agency) {}

  @repeating.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @repeating.On(CalledOff, { in: 'Ordered', to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @repeating.Step({ in: 'Ordered', to: 'Paid', effect: 'external', retry, timeout: 200 })
  async charge(context: Context): Promise<unknown> {
    return this.agency.call('charge', context);
  }

  @repeating.Confirm('charge', { unknown: 'retry', retry })
  async wasCharged(context: Context): Promise<Asked> {
    return (await this.agency.call('wasCharged', context)) as Asked;
  }

  @repeating.Compensate('charge', { retry })
  async refund(context: CompensationContext<object, unknown>): Promise<void> {
    return this.agency.undo('refund', context);
  }
}

describe('A charge is in doubt', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({
      workflows: [new AskingWorkflow(agency), new RepeatingWorkflow(agency)],
    });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const reset = async (): Promise<never> => Promise.reject(new Error('connection reset'));
  const answers = (key: string, answer: (call: number) => unknown) =>
    agency.does.set(`wasCharged ${key}`, async (_, call) => answer(call));
  const fails = (key: string, calls: number) =>
    agency.does.set(`charge ${key}`, async (_, call) => (call > calls ? `receipt ${call}` : reset()));
  const run = async (key: string, type: typeof AskingWorkflow | typeof RepeatingWorkflow = AskingWorkflow) =>
    engine.client.runOf(type, key);
  const go = async (): Promise<void> => {
    await engine.drain();
    for (const _ of 'two') {
      await engine.clock.advance('1s');
      await engine.drain();
    }
  };
  const order = async (key: string): Promise<void> => {
    await engine.client.start(AskingWorkflow, key, new Ordered());
    await engine.tick();
  };
  /** As if the process had died in the call that has just failed: nobody knows, for 10 s of the call. */
  const dieInTheCall = async (key: string): Promise<void> => {
    await engine.rows(
      `update pawl.step s set status = 'intent', next_attempt_at = null, deadline = clock_timestamp() + interval '10 s'
       from pawl.run r where r.id = s.run_id and r.key = $1`,
      [key],
    );
  };
  const lookAgain = async (key: string): Promise<void> => {
    await engine.rows('update pawl.run set due_at = clock_timestamp() where key = $1', [key]);
    await engine.drain();
  };

  describe('and is asked about before it is made again', () => {
    it('it happened: the step is done with what it would have returned, and is not made again', async () => {
      fails('yes', 1);
      answers('yes', () => happened('receipt found'));
      await order('yes');
      await go();
      expect(agency.of('yes')).toEqual(['charge', 'wasCharged']);
      expect(await stepOf(engine, 'yes', 'charge')).toMatchObject({
        status: 'done',
        attempts: 1,
        output: 'receipt found',
      });
      expect(await run('yes')).toMatchObject({ status: 'completed', state: 'Paid' });
    });

    it('it did not: it is made again under its key', async () => {
      fails('no', 1);
      answers('no', () => didNotHappen());
      await order('no');
      await go();
      expect(agency.of('no')).toEqual(['charge', 'wasCharged', 'charge']);
      expect(new Set(agency.calls.filter(({ key }) => key === 'no').map((c) => c.idempotencyKey)).size).toBe(
        1,
      );
      expect(await run('no')).toMatchObject({ status: 'completed' });
    });

    it('a call that was cut off may still be under way: a no counts a second after its time, not before', async () => {
      agency.does.set('charge cut off', async (_, call) =>
        call > 1 ? 'receipt' : new Promise(() => undefined),
      );
      answers('cut off', () => didNotHappen());
      await order('cut off');
      await engine.clock.advance('1s');
      await engine.drain();
      expect(agency.of('cut off')).toEqual(['charge', 'wasCharged']);
      expect(await stepOf(engine, 'cut off', 'charge')).toMatchObject({ status: 'retrying' });
      await engine.clock.advance('1s');
      await engine.drain();
      expect(agency.of('cut off')).toEqual(['charge', 'wasCharged', 'wasCharged', 'charge']);
      expect(await run('cut off')).toMatchObject({ status: 'completed' });
    });

    it('not more often than its policy allows; then nothing was done, and nothing is undone', async () => {
      fails('never', 9);
      answers('never', () => didNotHappen());
      await order('never');
      await go();
      expect(agency.of('never')).toEqual(['charge', 'wasCharged', 'charge', 'wasCharged']);
      expect(await run('never')).toMatchObject({ status: 'failed' });
    });

    it('a no before the end of the call does not count: it is asked again then', async () => {
      fails('too early', 1);
      answers('too early', () => didNotHappen());
      await order('too early');
      await dieInTheCall('too early');
      await lookAgain('too early');
      await engine.clock.advance('9s');
      await engine.drain();
      expect(agency.of('too early')).toEqual(['charge', 'wasCharged']);
      await engine.clock.advance('1s');
      await engine.drain();
      expect(agency.of('too early')).toEqual(['charge', 'wasCharged', 'wasCharged', 'charge']);
    });

    it('a yes counts at once', async () => {
      fails('early yes', 1);
      answers('early yes', () => happened('receipt'));
      await order('early yes');
      await dieInTheCall('early yes');
      await lookAgain('early yes');
      expect(await run('early yes')).toMatchObject({ status: 'completed' });
    });
  });

  describe('and nobody can say', () => {
    it('a person is asked, not before the call has ended; the run waits, and takes events', async () => {
      fails('unknown', 9);
      answers('unknown', () => unknown());
      await order('unknown');
      await dieInTheCall('unknown');
      await lookAgain('unknown');
      expect(await run('unknown')).toMatchObject({ status: 'running', attention: null });
      await engine.clock.advance('10s');
      await engine.drain();
      expect(await run('unknown')).toMatchObject({
        status: 'waiting',
        state: 'Ordered',
        attention: 'step charge in doubt',
      });
      expect(await stepOf(engine, 'unknown', 'charge')).toMatchObject({ status: 'in_doubt', attempts: 1 });
      expect((await verdictsOf(engine, 'unknown')).at(-1)).toBe('charge');
      await engine.client.deliver(AskingWorkflow, 'unknown', new CalledOff());
      await engine.drain();
      expect(agency.of('unknown')).toEqual(['charge', 'wasCharged', 'wasCharged', 'wasCharged', 'refund']);
      expect(agency.undone('unknown')).toEqual([['refund', 'unknown']]);
      expect(await run('unknown')).toMatchObject({ status: 'compensated' });
    });

    it('or it is made again under its key, where that was declared', async () => {
      fails('again', 1);
      answers('again', () => unknown());
      await engine.client.start(RepeatingWorkflow, 'again', new Ordered());
      await go();
      expect(agency.of('again')).toEqual(['charge', 'wasCharged', 'charge']);
      expect(await run('again', RepeatingWorkflow)).toMatchObject({ status: 'completed' });
    });

    it('until its attempts are spent: what may have happened is undone, as unknown', async () => {
      fails('spent', 9);
      answers('spent', () => unknown());
      await engine.client.start(RepeatingWorkflow, 'spent', new Ordered());
      await go();
      expect(agency.of('spent').slice(0, 4)).toEqual(['charge', 'wasCharged', 'charge', 'wasCharged']);
      expect(agency.undone('spent')).toEqual([['refund', 'unknown']]);
      expect(await run('spent', RepeatingWorkflow)).toMatchObject({ status: 'compensated' });
    });
  });

  describe('and the question fails', () => {
    it('it is asked again by its policy', async () => {
      fails('asked again', 1);
      answers('asked again', (call) => (call === 1 ? reset() : happened('receipt')));
      await order('asked again');
      await go();
      expect(agency.of('asked again')).toEqual(['charge', 'wasCharged', 'wasCharged']);
      expect(await run('asked again')).toMatchObject({ status: 'completed' });
    });

    it('too often: it counts as unknown', async () => {
      fails('no answer', 1);
      answers('no answer', () => reset());
      await order('no answer');
      await go();
      expect(agency.of('no answer')).toEqual(['charge', 'wasCharged', 'wasCharged']);
      expect(await run('no answer')).toMatchObject({ status: 'waiting', attention: 'step charge in doubt' });
    });

    it('because it answers something else: the remedy is told', async () => {
      fails('true', 1);
      answers('true', () => true);
      await order('true');
      await go();
      const remedy = expect.stringContaining('return happened(output), didNotHappen() or unknown()');
      expect(await stepOf(engine, 'true', 'charge')).toMatchObject({
        status: 'in_doubt',
        errors: [{ message: 'connection reset' }, { message: remedy }],
      });
    });
  });

  describe('and is to be undone', () => {
    const callOff = async (key: string): Promise<void> => {
      await order(key);
      await dieInTheCall(key);
      await engine.client.deliver(AskingWorkflow, key, new CalledOff());
      await engine.drain();
      expect(agency.of(key)).toEqual(['charge']);
      await engine.clock.advance('10s');
      await go();
    };

    it('it happened: it is undone as what is done', async () => {
      fails('undo yes', 9);
      answers('undo yes', () => happened('receipt found'));
      await callOff('undo yes');
      expect(agency.of('undo yes')).toEqual(['charge', 'wasCharged', 'refund']);
      expect(agency.undone('undo yes')).toEqual([['refund', 'receipt found']]);
      expect(await run('undo yes')).toMatchObject({ status: 'compensated' });
    });

    it('it did not: nothing is undone', async () => {
      fails('undo no', 9);
      answers('undo no', () => didNotHappen());
      await callOff('undo no');
      expect(agency.of('undo no')).toEqual(['charge', 'wasCharged']);
      expect(await run('undo no')).toMatchObject({ status: 'compensated' });
    });

    it('the question fails: it is asked again, then undone as unknown', async () => {
      fails('undo asked', 9);
      answers('undo asked', () => reset());
      await callOff('undo asked');
      expect(agency.of('undo asked')).toEqual(['charge', 'wasCharged', 'wasCharged', 'refund']);
      expect(agency.undone('undo asked')).toEqual([['refund', 'unknown']]);
    });
  });
});
