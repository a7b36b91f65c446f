import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, letTimePass } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'offer.made', version: 1 })
class Made {}

@MessageType({ name: 'offer.taken', version: 1 })
class Taken {}

interface Offer {
  reminders?: number;
}

const offer = workflow<Offer>()('offer', {
  version: 1,
  states: ['Open', 'Taken', 'Expired'],
  final: ['Taken', 'Expired'],
});

@offer.Workflow()
class OfferWorkflow {
  @offer.On(Made, { start: true, to: 'Open' })
  made(): void {}

  @offer.On(Taken, { in: 'Open', to: 'Taken', competes: true })
  taken(): void {}

  @offer.Timeout({ in: 'Open', after: '1h', attention: 'nobody has answered' })
  reminded(data: Offer): void {
    data.reminders = (data.reminders ?? 0) + 1;
  }

  @offer.Timeout({ in: 'Open', after: '2h', to: 'Expired' })
  expired(): void {}
}

describe('Time passes', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new OfferWorkflow()] });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const made = async (key: string) => stage.client.start(OfferWorkflow, key, new Made());
  const run = async (key: string) => stage.client.runOf(OfferWorkflow, key);
  const timers = async (key: string) =>
    stage.rows<{ member: string }>(
      'select member from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = $1 order by member',
      [key],
    );
  const passHours = async (key: string, hours: number) =>
    stage.rows(
      `update pawl.timer t set fire_at = fire_at - make_interval(hours => $2) from pawl.run r where r.id = t.run_id and r.key = $1`,
      [key, hours],
    );

  it('a timeout with attention marks its run, which stays', async () => {
    await made('one');
    await passHours('one', 1);
    await until(async () => (await run('one'))?.attention);
    expect(await run('one')).toMatchObject({
      state: 'Open',
      status: 'waiting',
      attention: 'nobody has answered',
      data: { reminders: 1 },
    });
    expect(await timers('one')).toEqual([{ member: 'expired' }]);
  });

  it('a timeout with a state moves its run, and no timer of the old state is left', async () => {
    await made('two');
    await letTimePass(stage, 'two');
    await until(async () => (await run('two'))?.state === 'Expired');
    expect(await run('two')).toMatchObject({ status: 'completed', data: { reminders: 1 } });
    expect(await timers('two')).toEqual([]);
  });

  it('an event that leaves the state stops its timers', async () => {
    await made('three');
    expect(await timers('three')).toEqual([{ member: 'expired' }, { member: 'reminded' }]);
    await stage.client.deliver(OfferWorkflow, 'three', new Taken());
    expect(await timers('three')).toEqual([]);
  });

  it('many that are due at once fire once each', async () => {
    const keys = Array.from({ length: 30 }, (_, n) => `many ${n}`);
    await Promise.all(keys.map(made));
    await stage.rows(`update pawl.timer set fire_at = clock_timestamp()`);
    await until(async () => (await stage.rows('select 1 from pawl.timer')).length === 0);
    const fired = await stage.rows(
      `select distinct count(*)::int as times from pawl.journal j join pawl.run r on r.id = j.run_id
       where r.key like 'many%' and kind = 'timer' group by r.key, j.name`,
    );
    expect(fired).toEqual([{ times: 1 }]);
  });
});
