import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import {
  type Confirmation,
  didNotHappen,
  happened,
  type StepContext,
  unknown,
  workflow,
} from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'mailing.ordered', version: 1 })
class Ordered {}

interface Mailing {
  readonly nothing?: never;
}

const mailing = (name: string) =>
  workflow<Mailing>()(name, { version: 1, states: ['Ordered', 'Sent'], final: ['Sent'] });
const asked = mailing('asked');
const once = mailing('once');
const retry = { attempts: 3, backoff: 'fixed', delay: 10 } as const;
const forEach = { items: () => 5, concurrency: 2 };

/** Letters of which the first attempt is in doubt, but for the first one. */
@asked.Workflow()
class Asked {
  readonly sent: number[] = [];
  readonly answers: Record<number, () => Confirmation<string>> = {
    1: () => happened('was sent'),
    2: () => didNotHappen(),
    3: () => unknown(),
    4: () => unknown(),
  };

  @asked.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @asked.Step({ in: 'Ordered', to: 'Sent', effect: 'external', retry, forEach })
  async send({ index }: StepContext<Mailing>): Promise<string> {
    this.sent.push(index);
    if (index > 0 && this.sent.filter((one) => one === index).length === 1) throw new Error('cut off');
    return 'sent';
  }

  @asked.Confirm('send')
  async wasSent({ index }: StepContext<Mailing>): Promise<Confirmation<string>> {
    return this.answers[index]?.() ?? unknown();
  }
}

@once.Workflow()
class Once {
  readonly sent: number[] = [];

  @once.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @once.Step({
    in: 'Ordered',
    to: 'Sent',
    effect: 'external',
    guarantee: 'at-most-once',
    timeout: 300,
    retry,
    forEach,
  })
  async send({ index }: StepContext<Mailing>): Promise<void> {
    this.sent.push(index);
    if (index === 2) throw new Error('cut off');
  }
}

describe('An item is in doubt', () => {
  const [askedFlow, onceFlow] = [new Asked(), new Once()];
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [askedFlow, onceFlow] });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const comes = async (Class: typeof Asked | typeof Once, key: string, status: string) =>
    until(async () => (await stage.client.runOf(Class, key))?.status === status, {
      what: `${key} ${status}`,
    });
  const head = async (key: string) =>
    (
      await stage.rows(
        `select s.status, s.items_done::text as done, s.items_failed::text as failed, s.output
         from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 and s.item = -1`,
        [key],
      )
    )[0];

  it('it is asked about, the others go on, and a person sees to what nobody can say', async () => {
    await stage.client.start(Asked, 'asked', new Ordered());
    await comes(Asked, 'asked', 'waiting');
    expect(askedFlow.sent.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2, 3, 4]);
    expect(await head('asked')).toMatchObject({ status: 'in_doubt', done: '{[0,3)}' });
    expect((await stage.client.runOf(Asked, 'asked'))?.attention).toBe('step send in doubt: items 3, 4');
    const by = { actor: 'ada', reason: 'asked the post', assume: 'not-happened' } as const;
    await stage.runtime.control.of(Asked, 'asked').redrive(by);
    await comes(Asked, 'asked', 'completed');
    expect(askedFlow.sent.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2, 3, 3, 4, 4]);
    expect(await head('asked')).toMatchObject({
      status: 'done',
      done: '{[0,5)}',
      output: { total: 5, done: 5, failed: 0 },
    });
    const rows = await stage.rows(`select output from pawl.step where item = 1`);
    expect(rows).toEqual([{ output: 'was sent' }]);
  });

  it('of a step that is made at most once it is lost, and listed as that', async () => {
    await stage.client.start(Once, 'once', new Ordered());
    await comes(Once, 'once', 'completed');
    expect(onceFlow.sent.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(await head('once')).toMatchObject({ status: 'done', output: { total: 5, done: 4, failed: 1 } });
    expect(await stage.rows('select subject, reason from pawl.loss')).toEqual([
      { subject: 'send/2', reason: 'unknown' },
    ]);
  });
});
