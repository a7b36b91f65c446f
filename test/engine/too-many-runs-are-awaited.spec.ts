import { TooManyAwaitedError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { itemAddedMessage } from './messages.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('Too many runs are awaited', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      options: { work: false, awaitedMax: 2 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const early = async (key: string, event: object = new ItemAdded(0, 'tea')) =>
    stage.client.deliver(SmallOrderWorkflow, key, event);
  const awaited = async () =>
    stage.rows<{ key: string }>(`select key from pawl.run where status = 'awaited' order by key`);

  it('one more is refused, and leaves nothing', async () => {
    await early('a');
    await early('b');
    await expect(early('c')).rejects.toThrow(TooManyAwaitedError);
    expect(await awaited()).toEqual([{ key: 'a' }, { key: 'b' }]);
  });

  it('a message for one more stays outside until there is room, and leaves nothing', async () => {
    const message = itemAddedMessage('c', 0);
    for (let n = 0; n < 3; n++) expect(await stage.messaging.inbox.accept([message])).toEqual(['open']);
    expect(await awaited()).toEqual([{ key: 'a' }, { key: 'b' }]);
    expect(await stage.rows('select 1 from pawl.dead_letter')).toEqual([]);
  });

  it('a message for one that is there does not stay outside with it', async () => {
    const messages = [itemAddedMessage('d', 1), itemAddedMessage('b', 2)];
    expect(await stage.messaging.inbox.accept(messages)).toEqual(['open', 'closed']);
    expect(await awaited()).toEqual([{ key: 'a' }, { key: 'b' }]);
  });

  it('those that are there take more events, and runs start', async () => {
    expect(await early('a', new Accepted(1))).toMatchObject({ verdict: 'early' });
    expect(await stage.client.start(SmallOrderWorkflow, 'c', new Submitted('Ada'))).toMatchObject({
      created: true,
    });
  });

  it('there is room again once one of them was started', async () => {
    await stage.client.start(SmallOrderWorkflow, 'a', new Submitted('Ada'));
    await early('d');
    expect(await awaited()).toEqual([{ key: 'b' }, { key: 'd' }]);
  });

  it('an event that does not stay leaves no row behind', async () => {
    expect(await early('e', new ItemAdded(-1, 'tea'))).toMatchObject({
      verdict: 'rejected',
      rule: 'invalid-subject',
    });
    expect(await awaited()).toEqual([{ key: 'b' }, { key: 'd' }]);
  });
});
