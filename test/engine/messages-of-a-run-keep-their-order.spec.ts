import { MessageType, route } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'trip.begun', version: 1 })
class Begun {}

@MessageType({ name: 'trip.noted', version: 1 })
class Noted {
  constructor(readonly text: string) {}
}

@MessageType({ name: 'trip.told', version: 1 })
class Told {
  constructor(readonly text: string) {}
}

@MessageType({ name: 'trip.ended', version: 1 })
class Ended {}

const home = route({ to: 'home', partitions: 1 });
const trip = workflow<object>()('trip', { version: 1, states: ['Away', 'Back', 'Over'], final: ['Over'] });

@trip.Workflow()
class TripWorkflow {
  constructor(private readonly travelling: Barrier) {}

  @trip.On(Begun, { start: true, to: 'Away', publish: home })
  begun(): void {}

  @trip.On(Noted, { in: ['Away', 'Back'], key: (event) => event.text, publish: home, competes: true })
  noted(): void {}

  @trip.Step({ in: 'Away', to: 'Back' })
  async travel({ send }: StepContext<object>): Promise<void> {
    send(home, new Told('leaving'));
    send(home, new Told('arrived'));
    await this.travelling.stop();
  }

  @trip.On(Ended, { in: 'Back', to: 'Over', publish: home })
  ended(): void {}
}

describe('Messages of a run keep the order of its commits (D17)', () => {
  let stage: EngineStage;
  const travelling = new Barrier();

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new TripWorkflow(travelling)] });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const sent = async (key: string): Promise<string[]> => {
    const rows = await stage.rows<{ message: string }>(
      `select concat_ws(' ', type, payload ->> 'text') as message from pawl.outbox where key = $1 order by position`,
      [key],
    );
    return rows.map(({ message }) => message);
  };

  it('although a step sent before an event came that commits first', async () => {
    await stage.client.start(TripWorkflow, 'one', new Begun());
    const goOn = await travelling.arrival();
    await stage.client.deliver(TripWorkflow, 'one', new Noted('raining'));
    goOn();
    await until(async () => (await stage.client.runOf(TripWorkflow, 'one'))?.state === 'Back');
    await stage.client.deliver(TripWorkflow, 'one', new Ended());
    expect(await sent('one')).toEqual([
      'trip.begun',
      'trip.noted raining',
      'trip.told leaving',
      'trip.told arrived',
      'trip.ended',
    ]);
  });

  it('and a step that is refused has sent nothing', async () => {
    await stage.client.start(TripWorkflow, 'two', new Begun());
    const goOn = await travelling.arrival();
    await stage.rows(`update pawl.run set fencing_token = fencing_token + 1 where key = 'two'`);
    goOn();
    await until(() => stage.runtime.worker.idle);
    expect(await sent('two')).toEqual(['trip.begun']);
  });
});
