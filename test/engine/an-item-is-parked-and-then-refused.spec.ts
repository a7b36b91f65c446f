import { MessageType } from '@pawl/messaging';
import { allItemsSeen, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'list.opened', version: 1 })
class Opened {}

@MessageType({ name: 'list.entered', version: 1 })
class Entered {
  constructor(
    readonly index: number,
    readonly text: string,
  ) {}
}

@MessageType({ name: 'list.closed', version: 1 })
class Closed {
  constructor(readonly count: number) {}
}

interface List {
  entries?: string[];
}

const list = workflow<List>()('list', { version: 1, states: ['Open', 'Closed'], final: ['Closed'] });

@list.Workflow()
class ListWorkflow {
  @list.On(Opened, { start: true, to: 'Open' })
  opened(data: List): void {
    data.entries = [];
  }

  @list.On(Entered, { in: 'Open', item: (event) => event.index })
  entered(data: List, { index, text }: Entered): void {
    if (text === '') throw new Error('nothing to enter');
    if (data.entries) data.entries[index] = text;
  }

  @list.On(Closed, { in: 'Open', to: 'Closed', when: allItemsSeen(Entered, (event: Closed) => event.count) })
  closed(): void {}
}

describe('An item is parked and then refused (D14)', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new ListWorkflow()] });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('it does not count as seen, and its correction is no duplicate', async () => {
    const deliver = async (event: object) => stage.client.deliver(ListWorkflow, 'one', event);
    expect(await deliver(new Entered(0, ''))).toMatchObject({ verdict: 'early' });
    await stage.client.start(ListWorkflow, 'one', new Opened());
    expect(await stage.rows(`select reason, payload from pawl.dead_letter`)).toEqual([
      { reason: 'handler-failed', payload: { index: 0, text: '' } },
    ]);
    expect(await deliver(new Closed(1))).toMatchObject({ verdict: 'early', rule: 'guard-not-met' });
    expect(await deliver(new Entered(0, 'milk'))).toMatchObject({ verdict: 'applied', state: 'Closed' });
    expect(await stage.client.runOf(ListWorkflow, 'one')).toMatchObject({ data: { entries: ['milk'] } });
  });

  it('an event whose handler throws changes nothing and is a dead letter', async () => {
    await stage.client.start(ListWorkflow, 'two', new Opened());
    const before = await stage.client.runOf(ListWorkflow, 'two');
    const receipt = await stage.client.deliver(ListWorkflow, 'two', new Entered(3, ''));
    expect(receipt).toMatchObject({ verdict: 'rejected', rule: 'handler-failed' });
    expect(receipt.detail).toContain('nothing to enter');
    expect(await stage.client.runOf(ListWorkflow, 'two')).toEqual({ ...before, revision: 2 });
  });
});
