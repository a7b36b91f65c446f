import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, letTimePass } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'card.begun', version: 1 })
class Begun {}

@MessageType({ name: 'card.titled', version: 1 })
class Titled {
  constructor(readonly text: string) {}
}

interface Card {
  title?: string;
}

const card = workflow<Card>()('card', {
  version: 1,
  states: ['Blank', 'Titled', 'Old'],
  final: ['Titled', 'Old'],
});

@card.Workflow()
class CardWorkflow {
  @card.On(Begun, { start: true, to: 'Blank' })
  begun(): void {}

  // Cuts an emoji in two halves, of which PostgreSQL stores neither.
  @card.On(Titled, { in: 'Blank', to: 'Titled', competes: true })
  titled(data: Card, { text }: Titled): void {
    if (text === 'throw') throw new Error('no \0');
    data.title = text.slice(0, 3);
  }

  @card.Timeout({ in: 'Blank', after: '1h', to: 'Old' })
  aged(data: Card): void {
    data.title = 'old\0';
  }
}

const EMOJI = 'ab🙂';

describe('A handler folds what can not be stored', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new CardWorkflow()] });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const rejected = { verdict: 'rejected', rule: 'handler-failed' };
  const start = async (key: string) => stage.client.start(CardWorkflow, key, new Begun());

  it('the event is rejected, as if the handler had thrown', async () => {
    await start('one');
    expect(await stage.client.deliver(CardWorkflow, 'one', new Titled(EMOJI))).toMatchObject(rejected);
    expect(await stage.client.deliver(CardWorkflow, 'one', new Titled('abc'))).toMatchObject({
      verdict: 'applied',
    });
  });

  it('a parked one does not keep its run from starting', async () => {
    await stage.client.deliver(CardWorkflow, 'two', new Titled(EMOJI));
    expect(await start('two')).toMatchObject({ created: true });
    expect(await stage.client.runOf(CardWorkflow, 'two')).toMatchObject({ state: 'Blank', parkedCount: 0 });
  });

  it('a timeout asks for a person', async () => {
    await start('three');
    await letTimePass(stage, 'three');
    const run = async () => stage.client.runOf(CardWorkflow, 'three');
    await until(async () => (await run())?.attention);
    expect(await run()).toMatchObject({
      state: 'Blank',
      attention: expect.stringContaining('can not store'),
    });
  });

  it('what only looks like it is stored', async () => {
    await start('four');
    await stage.client.deliver(CardWorkflow, 'four', new Titled('\\u0000'));
    expect(await stage.client.runOf(CardWorkflow, 'four')).toMatchObject({ data: { title: '\\u0' } });
  });

  it('an event that can not be stored itself is refused before anything is done', async () => {
    const delivering = stage.client.deliver(CardWorkflow, 'five', new Titled('a\0'));
    await expect(delivering).rejects.toMatchObject({ code: 'payload_invalid' });
    const tooLarge = stage.client.deliver(CardWorkflow, 'five', new Titled('x'.repeat(300_000)));
    await expect(tooLarge).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('an error message of a handler that can not be stored is mended', async () => {
    await start('six');
    const receipt = await stage.client.deliver(CardWorkflow, 'six', new Titled('throw'));
    expect(receipt).toMatchObject(rejected);
    expect(await stage.rows(`select rule from pawl.dead_letter where run_key = 'six'`)).toEqual([
      { rule: expect.stringContaining('no \uFFFD') },
    ]);
  });
});
