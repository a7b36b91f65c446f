import { startTestEngine, type TestEngine } from '@pawl/testing';
import {
  type CompensationContext,
  NoEffectError,
  PermanentError,
  type StepContext,
  workflow,
} from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Agency, CalledOff, Ordered } from './trip.js';

type Context = StepContext<object>;

const mailing = workflow<object>()('mailing', {
  version: 1,
  states: ['Ordered', 'Told', 'CalledOff'],
  final: ['CalledOff'],
});
const retry = { attempts: 3, backoff: 'fixed', delay: 10 } as const;

@mailing.Workflow()
class MailingWorkflow {
  constructor(private readonly agency: Agency) {}

  @mailing.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @mailing.On(CalledOff, { in: ['Ordered', 'Told'], to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @mailing.Step({ in: 'Ordered', effect: 'external', guarantee: 'at-most-once', retry, timeout: 1_000 })
  async mail(context: Context): Promise<unknown> {
    return this.agency.call('mail', context);
  }

  @mailing.Compensate('mail', { retry })
  async apologise(context: CompensationContext<object, unknown>): Promise<void> {
    return this.agency.undo('apologise', context);
  }

  @mailing.Step({ in: 'Ordered', to: 'Told' })
  async note(context: Context): Promise<unknown> {
    return this.agency.call('note', context);
  }
}

describe('A mail is lost', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new MailingWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const run = async (key: string) => engine.client.runOf(MailingWorkflow, key);
  const lossesOf = async (key: string) =>
    engine.rows(
      `select origin, workflow, type, subject, reason, under_way_until is not null as "underWay" from pawl.loss where run_key = $1`,
      [key],
    );
  const loss = { origin: 'step', workflow: 'mailing', type: 'step', subject: 'mail', reason: 'unknown' };
  const order = async (key: string): Promise<void> => {
    await engine.client.start(MailingWorkflow, key, new Ordered());
    await engine.drain();
    for (const _ of 'two') {
      await engine.clock.advance('1s');
      await engine.drain();
    }
  };

  it('where its call timed out: the run goes on, the row stays, and it is not sent again', async () => {
    agency.does.set('mail lost', async () => new Promise(() => undefined));
    await order('lost');
    expect(agency.of('lost')).toEqual(['mail', 'note']);
    expect(await stepOf(engine, 'lost', 'mail')).toMatchObject({ status: 'lost', attempts: 1, output: null });
    expect(await lossesOf('lost')).toEqual([{ ...loss, underWay: false }]);
    expect(await run('lost')).toMatchObject({ status: 'waiting', state: 'Told' });
  });

  it('and sent again because somebody says so: a step at work behind it is not taken for done', async () => {
    const noting = new Barrier();
    agency.does.set('mail again', async (_, call) => {
      if (call === 1) throw new Error('connection reset');
    });
    agency.does.set('note again', async (_, call) => (call === 1 ? noting.stop() : undefined));
    await engine.client.start(MailingWorkflow, 'again', new Ordered());
    const drained = engine.drain();
    const goOn = await noting.arrival();
    const control = engine.runtime.control.of(MailingWorkflow, 'again');
    await control.redrive({ step: 'mail', actor: 'ann', reason: 'it never came' });
    goOn();
    await drained;
    await engine.drain();
    expect(agency.of('again')).toEqual(['mail', 'note', 'mail', 'note']);
    expect(await lossesOf('again')).toEqual([]);
    expect(await run('again')).toMatchObject({ status: 'waiting', state: 'Told' });
  });

  it('and a compensation of it is told that nobody knows', async () => {
    agency.does.set('mail undone', async () => Promise.reject(new Error('connection reset')));
    await order('undone');
    await engine.client.deliver(MailingWorkflow, 'undone', new CalledOff());
    await engine.drain();
    expect(agency.undone('undone')).toEqual([['apologise', 'unknown']]);
  });

  it('while it is sent its row is there, and it goes with the record of what was sent', async () => {
    const sending = new Barrier();
    agency.does.set('mail sent', () => sending.stop());
    await engine.client.start(MailingWorkflow, 'sent', new Ordered());
    const drained = engine.drain();
    const goOn = await sending.arrival();
    expect(await lossesOf('sent')).toEqual([{ ...loss, underWay: true }]);
    goOn();
    await drained;
    expect(await lossesOf('sent')).toEqual([]);
    expect(await run('sent')).toMatchObject({ status: 'waiting', state: 'Told' });
  });

  it('not where it is certain that nothing was sent: it is tried again by its policy', async () => {
    agency.does.set('mail refused', async (_, call) => {
      if (call < 3) throw new NoEffectError('429');
    });
    await order('refused');
    expect(agency.of('refused')).toEqual(['mail', 'mail', 'mail', 'note']);
    expect(await lossesOf('refused')).toEqual([]);
  });

  it('not where it was refused for good: then the step has failed, and nothing was lost', async () => {
    agency.does.set('mail impossible', async () => Promise.reject(new PermanentError('no such address')));
    await order('impossible');
    expect(await run('impossible')).toMatchObject({ status: 'failed' });
    expect(await lossesOf('impossible')).toEqual([]);
  });

  it('once a process has died in its call: after its time, and it is not sent again', async () => {
    // The first one is refused; what is set up then is a second one, of which nobody hears.
    agency.does.set('mail died', async () => Promise.reject(new NoEffectError('429')));
    await engine.client.start(MailingWorkflow, 'died', new Ordered());
    await engine.tick();
    await engine.rows(
      `update pawl.step s set status = 'intent', in_doubt = true, next_attempt_at = null, deadline = clock_timestamp() + interval '10 s'
       from pawl.run r where r.id = s.run_id and r.key = 'died'`,
    );
    await engine.clock.advance('9s');
    await engine.drain();
    expect(await stepOf(engine, 'died', 'mail')).toMatchObject({ status: 'intent' });
    await engine.clock.advance('1s');
    await engine.drain();
    expect(agency.of('died')).toEqual(['mail', 'note']);
    expect(await stepOf(engine, 'died', 'mail')).toMatchObject({ status: 'lost' });
  });
});
