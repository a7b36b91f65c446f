import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  type StepContext,
  unknown,
  workflow,
} from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'gift.wanted', version: 1 })
class Wanted {}

@MessageType({ name: 'gift.thanked', version: 1 })
class Thanked {}

const gift = workflow<object>()('gift', {
  version: 1,
  states: ['Sending', 'Sent', 'Over'],
  final: ['Over'],
});

/** Of each call: its idempotency key. */
const calls: { step: string; key: string }[] = [];
let line: 'dead' | 'mended' = 'dead';
let answer: Confirmation<string> = unknown();

@gift.Workflow()
class GiftWorkflow {
  @gift.On(Wanted, { start: true, to: 'Sending' })
  wanted(): void {}

  @gift.Step({
    in: 'Sending',
    effect: 'external',
    guarantee: 'at-most-once',
    after: [],
    retry: { attempts: 2 },
  })
  async announce({ idempotencyKey: key }: StepContext<object>): Promise<string> {
    calls.push({ step: 'announce', key });
    if (line === 'dead') throw new Error('the line went dead');
    return 'announced';
  }

  @gift.Step({ in: 'Sending', effect: 'external', after: [], retry: { attempts: 2, delay: 5 } })
  async charge({ idempotencyKey: key }: StepContext<object>): Promise<string> {
    calls.push({ step: 'charge', key });
    if (line === 'dead') throw new Error('the line went dead');
    return 'charged';
  }

  @gift.Confirm('charge', { retry: { attempts: 1 } })
  async wasCharged(): Promise<Confirmation<string>> {
    calls.push({ step: 'wasCharged', key: '' });
    return answer;
  }

  @gift.Compensate('charge')
  async refund({ outcome }: CompensationContext<object, string>): Promise<void> {
    calls.push({ step: `refund ${outcome}`, key: '' });
  }

  @gift.Step({ in: 'Sending', to: 'Sent' })
  async send(): Promise<void> {}

  @gift.On(Thanked, { in: 'Sent', to: 'Over' })
  thanked(): void {}
}

const ANN = { actor: 'ann', reason: 'I have asked the bank' };

describe('A person settles a doubt', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new GiftWorkflow()], options: { rescueEveryMs: 20 } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage?.stop());

  const control = (key: string) => stage.runtime.control.of(GiftWorkflow, key);
  const run = async (key: string) => stage.client.runOf(GiftWorkflow, key);
  const statusOf = async (key: string) => {
    const rows = await stage.rows<{ name: string; status: string }>(
      `select distinct on (s.name) s.name, s.status from pawl.step s join pawl.run r on r.id = s.run_id
       where r.key = $1 order by s.name, s.generation desc`,
      [key],
    );
    return Object.fromEntries(rows.map(({ name, status }) => [name, status]));
  };
  const keysOf = (step: string) => calls.filter((call) => call.step === step).map(({ key }) => key);
  const rest = async (key: string, status: string) =>
    until(async () => (await run(key))?.status === status && stage.runtime.worker.idle, {
      what: `${key} as ${status}`,
    });

  /** Charged, perhaps, and announced, perhaps. */
  async function inDoubt(key: string): Promise<void> {
    calls.length = 0;
    line = 'dead';
    answer = unknown();
    await stage.client.start(GiftWorkflow, key, new Wanted());
    await rest(key, 'waiting');
    expect(await statusOf(key)).toEqual({ announce: 'lost', charge: 'in_doubt' });
    expect(await run(key)).toMatchObject({ attention: 'step charge in doubt' });
    line = 'mended';
  }

  it('by asking again: it had no effect, so the charge is made again under its key', async () => {
    await inDoubt('asked');
    answer = didNotHappen();
    expect(await control('asked').redrive(ANN)).toMatchObject({ status: 'running', changed: true });
    await until(async () => (await run('asked'))?.state === 'Sent');
    expect(await run('asked')).toMatchObject({ attention: null });
    const [first, second, ...more] = keysOf('charge');
    expect([second, more]).toEqual([first, []]);
  });

  it('by knowing that it did not happen: nobody is asked again', async () => {
    await inDoubt('known');
    await control('known').redrive({ ...ANN, assume: 'not-happened' });
    await until(async () => (await run('known'))?.state === 'Sent');
    expect(keysOf('wasCharged')).toHaveLength(1);
    expect(new Set(keysOf('charge')).size).toBe(1);
  });

  it('by knowing that it happened: then a cancel gives it back', async () => {
    await inDoubt('happened');
    await control('happened').redrive({ ...ANN, assume: 'happened', output: 'charged after all' });
    await until(async () => (await run('happened'))?.state === 'Sent');
    await control('happened').cancel(ANN);
    await rest('happened', 'cancelled');
    expect(calls.at(-1)).toEqual({ step: 'refund done', key: '' });
  });

  it('not at all: a cancel gives back what may be there', async () => {
    await inDoubt('open');
    answer = unknown();
    await control('open').cancel(ANN);
    await until(async () => ['cancelled', 'compensation_failed'].includes((await run('open'))?.status ?? ''));
    expect(calls.map(({ step }) => step)).toContain('refund unknown');
  });

  it('of what was lost: it is made again if it is named, and is a loss no more', async () => {
    await inDoubt('lost');
    const losses = async () => stage.rows(`select subject, reason from pawl.loss where run_key = 'lost'`);
    expect(await losses()).toEqual([{ subject: 'announce', reason: 'unknown' }]);
    await control('lost').redrive({ ...ANN, step: 'announce' });
    await until(async () => (await statusOf('lost'))['announce'] === 'done');
    expect(await losses()).toEqual([]);
    const [first, second] = keysOf('announce');
    expect(second).not.toBe(first);
    await rest('lost', 'waiting');
  });
});
