import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, verdictsOf, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'letter.written', version: 1 })
class Written {}

@MessageType({ name: 'letter.stamped', version: 1 })
class Stamped {}

@MessageType({ name: 'letter.collected', version: 1 })
class Collected {}

interface Letter {
  stamps: number;
}

const letter = workflow<Letter>()('letter', {
  version: 1,
  states: ['Written', 'Posted', 'Gone'],
  final: ['Gone'],
});

@letter.Workflow()
class LetterWorkflow {
  constructor(private readonly posting: Barrier) {}

  @letter.On(Written, { start: true, to: 'Written' })
  written(data: Letter): void {
    data.stamps = 0;
  }

  @letter.On(Stamped, { in: ['Written', 'Posted'], competes: true })
  stamped(data: Letter): void {
    data.stamps++;
  }

  @letter.Step({ in: 'Written', to: 'Posted' })
  async post(): Promise<void> {
    await this.posting.stop();
  }

  @letter.On(Collected, { in: 'Posted', to: 'Gone' })
  collected(): void {}
}

describe('An event parks while a step closes (D25)', () => {
  let stage: EngineStage;
  const posting = new Barrier();

  beforeAll(async () => {
    const workflows = [new LetterWorkflow(posting)];
    stage = await startEngine({ workflows, options: { rescueEveryMs: 3_600_000 } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('the closing statement waits for it, and the event is decided before COMMIT', async () => {
    await stage.client.start(LetterWorkflow, 'one', new Written());
    const goOn = await posting.arrival();
    await stage.messaging.transactions.run(async (tx) => {
      expect(await stage.client.deliver(LetterWorkflow, 'one', new Collected(), { tx })).toMatchObject({
        verdict: 'early',
      });
      goOn();
      await waitingForLocks(stage);
    });
    await until(() => stage.runtime.worker.idle);
    expect(await stage.client.runOf(LetterWorkflow, 'one')).toMatchObject({ state: 'Gone', parkedCount: 0 });
    expect(await verdictsOf(stage, 'one')).toEqual([
      'letter.written applied started',
      'letter.collected early state-not-reached',
      'post',
      'letter.collected applied accepted',
    ]);
  });

  it('an event that is folded meanwhile is not written over', async () => {
    await stage.client.start(LetterWorkflow, 'two', new Written());
    const goOn = await posting.arrival();
    await stage.client.deliver(LetterWorkflow, 'two', new Stamped());
    await stage.client.deliver(LetterWorkflow, 'two', new Collected());
    goOn();
    await until(() => stage.runtime.worker.idle);
    expect(await stage.client.runOf(LetterWorkflow, 'two')).toMatchObject({
      state: 'Gone',
      data: { stamps: 1 },
    });
  });

  it('an event that is folded while the step closes keeps the run from being given back unseen', async () => {
    await stage.client.start(LetterWorkflow, 'three', new Written());
    const goOn = await posting.arrival();
    await stage.messaging.transactions.run(async (tx) => {
      await stage.client.deliver(LetterWorkflow, 'three', new Stamped(), { tx });
      goOn();
      await waitingForLocks(stage);
    });
    await until(() => stage.runtime.worker.idle);
    expect(await stage.client.deliver(LetterWorkflow, 'three', new Collected())).toMatchObject({
      verdict: 'applied',
    });
    expect(await stage.client.runOf(LetterWorkflow, 'three')).toMatchObject({
      state: 'Gone',
      data: { stamps: 1 },
    });
  });
});
