import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'visit.began', version: 1 })
class Began {}

@MessageType({ name: 'visit.ended', version: 1 })
class Ended {}

const shape = { states: ['Inside', 'Leaving', 'Outside'], final: ['Outside'] } as const;
const first = workflow<object>()('visit', { version: 1, ...shape });
const second = workflow<object>()('visit', { version: 2, ...shape });

@first.Workflow()
class VisitOfVersion1 {
  @first.On(Began, { start: true, to: 'Inside' })
  began(): void {}

  @first.On(Ended, { in: 'Inside', to: 'Leaving' })
  ended(): void {}

  @first.Step({ in: 'Leaving', to: 'Outside' })
  async leave(): Promise<string> {
    return 'by the rules of version 1';
  }
}

@second.Workflow()
class VisitOfVersion2 {
  @second.On(Began, { start: true, to: 'Inside' })
  began(): void {}

  @second.On(Ended, { in: 'Inside', to: 'Leaving' })
  ended(): void {}

  @second.Step({ in: 'Leaving', to: 'Outside' })
  async leave(): Promise<string> {
    return 'by the rules of version 2';
  }
}

describe('A process does not have the version of a run (D22)', () => {
  let old: EngineStage;
  let young: EngineStage | undefined;

  beforeAll(async () => {
    old = await startEngine({ workflows: [new VisitOfVersion1()], options: { rescueEveryMs: 20 } });
  });
  afterEach(async () => expectSound(old));
  afterAll(async () => {
    await young?.stop();
    await old.stop();
  });

  const visit = async (key: string) => old.client.runOf(VisitOfVersion1, key);
  const output = async (key: string) =>
    old.rows(`select s.output from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1`, [key]);

  it('it stores the event for one that has, and touches nothing', async () => {
    const workflows = [new VisitOfVersion1(), new VisitOfVersion2()];
    young = await startEngine({ workflows, url: old.url, options: { work: false } });
    await young.client.start(VisitOfVersion2, 'one', new Began());
    const before = await visit('one');
    expect(before).toMatchObject({ version: 2 });
    expect(await old.client.deliver(VisitOfVersion1, 'one', new Ended())).toMatchObject({
      verdict: 'early',
      rule: 'version-unknown',
      state: 'Inside',
    });
    await old.runtime.worker.takeOverdue(0, 10);
    expect(await visit('one')).toEqual(before);
    expect(await old.rows(`select type, run_id from pawl.parked_event where key = 'one'`)).toEqual([
      { type: 'visit.ended', run_id: null },
    ]);
    await young.stop();
  });

  it('which decides it and runs its steps', async () => {
    const workflows = [new VisitOfVersion1(), new VisitOfVersion2()];
    young = await startEngine({ workflows, url: old.url, options: { rescueEveryMs: 20 } });
    await until(async () => (await visit('one'))?.state === 'Outside');
    expect(await output('one')).toEqual([{ output: 'by the rules of version 2' }]);
  });

  it('a run keeps the version that it was started with', async () => {
    await old.client.start(VisitOfVersion1, 'two', new Began());
    await young?.client.deliver(VisitOfVersion2, 'two', new Ended());
    await until(async () => (await visit('two'))?.state === 'Outside');
    expect(await output('two')).toEqual([{ output: 'by the rules of version 1' }]);
  });
});
