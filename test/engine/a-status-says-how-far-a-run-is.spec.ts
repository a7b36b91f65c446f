import { startTestEngine, type TestEngine } from '@pawl/testing';
import { NoEffectError, type StatusPosition, type StepContext, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Ordered } from './trip.js';

const counting = workflow<object>()('counting', {
  version: 1,
  states: ['Counting', 'Counted'],
  final: ['Counted'],
});

@counting.Workflow()
class CountingWorkflow {
  @counting.On(Ordered, { start: true, to: 'Counting' })
  ordered(): void {}

  @counting.Step({ in: 'Counting' })
  async quote({ key }: StepContext<object>): Promise<string> {
    return `quote ${key}`;
  }

  @counting.Step({
    in: 'Counting',
    retry: { backoff: 'fixed', delay: '1h', delayMax: '1h' },
    forEach: { items: () => 20, onItemFailure: 'continue' },
  })
  async count({ index, attempt }: StepContext<object>): Promise<void> {
    if (index === 3 && attempt === 1) throw new NoEffectError('not yet');
  }

  @counting.Step({ in: 'Counting', to: 'Counted' })
  async sumUp(): Promise<string> {
    return 'twenty';
  }

  @counting.Status()
  status(_: object, { state, outputs }: StatusPosition) {
    return { state, outputs };
  }
}

describe('A status says how far a run is', () => {
  let engine: TestEngine;

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new CountingWorkflow()] });
    await engine.client.start(CountingWorkflow, 'c', new Ordered());
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const status = async () => engine.client.status(CountingWorkflow, 'c');

  it('before any step: nothing was returned', async () => {
    expect(await status()).toEqual({ state: 'Counting', outputs: {} });
  });

  it('in the middle: what was returned, and how many items are done', async () => {
    await engine.drain();
    expect(await status()).toEqual({
      state: 'Counting',
      outputs: { quote: 'quote c', count: { total: 20, done: 19, failed: 0 } },
    });
  });

  it('a step that is made anew: its newest generation only', async () => {
    await engine.rows(
      `insert into pawl.step select (jsonb_populate_record(s, '{"generation": 1, "status": "intent", "idempotency_key": "another"}')).*
       from pawl.step s where name = 'quote'`,
    );
    expect((await status()).outputs).toEqual({ count: { total: 20, done: 19, failed: 0 } });
    await engine.rows(`delete from pawl.step where name = 'quote' and generation = 1`);
  });

  it('at the end: all of it', async () => {
    await engine.clock.advance('1h');
    await engine.drain();
    expect(await status()).toEqual({
      state: 'Counted',
      outputs: { quote: 'quote c', count: { total: 20, done: 20, failed: 0 }, sumUp: 'twenty' },
    });
  });
});
