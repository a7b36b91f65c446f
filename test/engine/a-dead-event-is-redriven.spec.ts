import { MessageType } from '@pawl/messaging';
import { allItemsSeen, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'note.opened', version: 1 })
class Opened {}

@MessageType({ name: 'note.written', version: 1 })
class Written {
  constructor(
    readonly index: number,
    readonly text: string,
  ) {}
}

@MessageType({ name: 'note.closed', version: 1 })
class Closed {
  constructor(readonly lines: number) {}
}

const note = workflow<{ lines: string[] }>()('note', {
  version: 1,
  states: ['Open', 'Closed'],
  final: ['Closed'],
});

let broken = false;

@note.Workflow()
class NoteWorkflow {
  @note.On(Opened, { start: true, to: 'Open' })
  opened(data: { lines: string[] }): void {
    data.lines = [];
  }

  @note.On(Written, { in: 'Open', item: ({ index }) => index })
  written(data: { lines: string[] }, { index, text }: Written): void {
    if (broken) throw new Error('no ink');
    data.lines[index] = text;
  }

  @note.On(Closed, { in: 'Open', to: 'Closed', when: allItemsSeen(Written, ({ lines }: Closed) => lines) })
  closed(): void {}
}

const BY = { actor: 'ann', reason: 'there is ink again' };

describe('A dead event is redriven', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new NoteWorkflow()], options: { work: false } });
    stage.messaging.redriver.useEvents(stage.runtime.eventRedrive);
  });
  beforeEach(async () => stage.rows('truncate pawl.dead_letter, pawl.loss'));
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const lines = async (key: string) => (await stage.client.runOf(NoteWorkflow, key))?.data;
  const losses = async () => stage.rows('select reason, detail, run_key from pawl.loss');
  const letters = async () =>
    stage.rows<{ id: string }>('select * from pawl.dead_letter order by created_at, id');
  const ask = async (what: 'redrive' | 'waive') => {
    const [letter] = await letters();
    await stage.messaging.deadLetters[what]([letter?.id ?? ''], BY);
    while ((await stage.messaging.redriver.pass()) > 0);
  };

  async function refusedLine(key: string): Promise<void> {
    await stage.client.start(NoteWorkflow, key, new Opened());
    broken = true;
    await stage.client.deliver(NoteWorkflow, key, new Written(0, 'tea'), { id: `${key}-0`, source: 'desk' });
    broken = false;
  }

  async function overdueLine(key: string): Promise<void> {
    await stage.client.deliver(NoteWorkflow, key, new Written(0, 'tea'), { id: `${key}-0` });
    await stage.rows(
      `with letter as (
         insert into pawl.dead_letter (id, origin, message_id, source, workflow, run_key, type, version, payload, reason)
         select gen_random_uuid(), 'event', event_id, source, workflow, key, type, type_version, payload, 'parked-deadline'
         from pawl.parked_event where key = $1 returning id)
       update pawl.parked_event set dead_letter_id = letter.id from letter where key = $1`,
      [key],
    );
  }

  it('is applied, under the id and source that it had', async () => {
    await refusedLine('one');
    expect(await letters()).toMatchObject([{ origin: 'event', message_id: 'one-0', source: 'desk' }]);
    await ask('redrive');
    expect(await lines('one')).toEqual({ lines: ['tea'] });
    expect(await letters()).toMatchObject([{ resolution: 'redriven', tries: 1 }]);
    expect(
      await stage.rows(`select verdict from pawl.journal where event_id = 'one-0' order by revision`),
    ).toEqual([{ verdict: 'rejected' }, { verdict: 'applied' }]);
  });

  it('stays the same row if it is refused again, and leaves nothing in its run', async () => {
    await refusedLine('two');
    broken = true;
    await ask('redrive');
    broken = false;
    expect(await letters()).toMatchObject([
      { resolved_at: null, requested: null, errors: [{ code: 'handler-failed' }] },
    ]);
    expect(await stage.rows(`select verdict from pawl.journal where event_id = 'two-0'`)).toHaveLength(1);
  });

  it('is resolved when another event has had its effect before', async () => {
    await refusedLine('three');
    await stage.client.deliver(NoteWorkflow, 'three', new Written(0, 'tea'));
    await ask('redrive');
    expect(await lines('three')).toEqual({ lines: ['tea'] });
    expect(await letters()).toMatchObject([{ resolution: 'redriven' }]);
  });

  it('is not resolved while it waits with its run, and is when its run takes it', async () => {
    await overdueLine('four');
    await ask('redrive');
    expect(await letters()).toMatchObject([
      { resolved_at: null, errors: [{ code: 'redrive_without_effect' }] },
    ]);
    await stage.client.start(NoteWorkflow, 'four', new Opened());
    expect(await lines('four')).toEqual({ lines: ['tea'] });
    expect(await letters()).toMatchObject([{ resolution: 'decided' }]);
  });

  it('is no loss any more if it was waived and its run takes it after all', async () => {
    await overdueLine('five');
    await ask('waive');
    expect(await letters()).toMatchObject([{ resolution: 'waived' }]);
    expect(await losses()).toEqual([
      { reason: 'waived', detail: 'ann: there is ink again', run_key: 'five' },
    ]);
    await stage.client.start(NoteWorkflow, 'five', new Opened());
    expect(await letters()).toMatchObject([{ resolution: 'decided' }]);
    expect(await losses()).toEqual([]);
  });
});
