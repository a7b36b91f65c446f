import { startTestEngine, type TestEngine } from '@pawl/testing';
import {
  PermanentError,
  RunReader,
  type RunRecord,
  type StepContext,
  unknown,
  workflow,
} from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { ANN } from './journey-stage.js';
import { Agency, Ordered } from './trip.js';

type Context = StepContext<object>;

const outing = workflow<object>()('outing', {
  version: 1,
  states: ['Ordered', 'Paid', 'Left'],
  final: ['Left'],
});
const once = { attempts: 1 } as const;

@outing.Workflow()
class OutingWorkflow {
  constructor(private readonly agency: Agency) {}

  @outing.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @outing.Step({ in: 'Ordered', effect: 'external', guarantee: 'at-most-once', retry: once })
  async mail(context: Context): Promise<unknown> {
    return this.agency.call('mail', context);
  }

  @outing.Step({ in: 'Ordered', forEach: { items: () => 3, onItemFailure: 'continue' } })
  async seat({ index }: Context): Promise<string> {
    if (index === 1) throw new PermanentError('taken');
    return `seat ${index}`;
  }

  @outing.Compensate('seat')
  async free(): Promise<void> {}

  @outing.Step({ in: 'Ordered', to: 'Paid', effect: 'external', deadline: '1d' })
  async charge(context: Context): Promise<unknown> {
    return this.agency.call('charge', context);
  }

  @outing.Confirm('charge')
  async wasCharged() {
    return unknown();
  }

  @outing.Step({ in: 'Paid', effect: 'external', noReturn: true })
  async leave(context: Context): Promise<unknown> {
    return this.agency.call('leave', context);
  }

  @outing.Timeout({ in: 'Paid', after: '1d', to: 'Left' })
  over(): void {}
}

describe('An operator looks at a saga', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new OutingWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const control = (key: string) => engine.runtime.control.of(OutingWorkflow, key);
  const order = async (key: string): Promise<void> => {
    await engine.client.start(OutingWorkflow, key, new Ordered());
    for (const _ of 'two') {
      await engine.drain();
      await engine.clock.advance('31s');
    }
    await engine.drain();
  };
  const look = async (key: string): Promise<RunRecord> => {
    const run = await engine.client.runOf(OutingWorkflow, key);
    const found = await new RunReader(engine.dataSource).find(run?.id ?? '');
    if (found === undefined) throw new Error(`There is no outing ${key}.`);
    return found;
  };
  const stepsIn = ({ steps }: RunRecord, name: string) =>
    steps.filter((step) => step.name === name).toSorted((a, b) => a.item - b.item);

  it('that goes on: items, what is lost, the point of no return, and since when it is paused', async () => {
    agency.does.set('mail on', async () => Promise.reject(new Error('connection reset')));
    await order('on');
    await control('on').pause(ANN);
    const run = await look('on');
    expect(run).toMatchObject({
      status: 'paused',
      state: 'Paid',
      noReturn: true,
      undo: null,
      forkedFrom: null,
      pausedAt: expect.any(Date) as Date,
      losses: [{ origin: 'step', type: 'step', subject: 'mail', reason: 'unknown', underWay: false }],
      actions: [{ action: 'pause', ...ANN, outcome: 'done' }],
    });
    expect(stepsIn(run, 'mail')).toMatchObject([{ status: 'lost', inDoubt: true }]);
    expect(stepsIn(run, 'seat')).toMatchObject([
      { item: -1, status: 'done', items: { total: 3, done: 2, failed: 1 } },
      { item: 0, status: 'done', output: 'seat 0' },
      { item: 1, status: 'failed', errors: [{ message: 'taken' }] },
      { item: 2, status: 'done', output: 'seat 2' },
    ]);
    expect(run.journal.map(({ kind, name }) => `${kind} ${name}`)).toContain('control pause');
  });

  it('that is in doubt, and is undone: deadlines, compensations, and who has asked', async () => {
    agency.does.set('charge off', async () => Promise.reject(new Error('connection reset')));
    await order('off');
    const doubted = await look('off');
    expect(doubted).toMatchObject({ status: 'waiting', attention: 'step charge in doubt' });
    expect(stepsIn(doubted, 'charge')).toMatchObject([
      {
        status: 'in_doubt',
        inDoubt: true,
        leftBehind: false,
        deadline: expect.any(Date) as Date,
      },
    ]);

    await control('off').cancel(ANN);
    await engine.drain();
    const undone = await look('off');
    expect(undone).toMatchObject({
      status: 'cancelled',
      attention: null,
      undo: { scope: 'all', to: 'cancelled' },
      actions: [{ action: 'cancel', ...ANN, outcome: 'done' }],
    });
    expect(stepsIn(undone, 'free')).toMatchObject([
      { kind: 'compensation', undoes: 'seat', item: -1, status: 'done' },
      { kind: 'compensation', undoes: 'seat', item: 0, status: 'done' },
      { kind: 'compensation', undoes: 'seat', item: 2, status: 'done' },
    ]);
    expect(undone.journal.map(({ kind }) => kind)).toContain('undo');
  });
});
