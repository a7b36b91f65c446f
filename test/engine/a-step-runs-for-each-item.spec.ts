import { until } from '@pawl/testing';
import { NoEffectError, PermanentError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { BatchSent, batchWorkflow, ITEM_EFFECTS, type ItemHooks } from './items-workflow.js';

const names = (count: number) => Array.from({ length: count }, (_, n) => `n${n}`);
const errorAt =
  (...indexes: number[]): NonNullable<ItemHooks['book']> =>
  async ({ index }) => {
    if (indexes.includes(index)) throw new PermanentError(`no room for ${index}`);
  };

describe('A step runs for each item', () => {
  const busy = new Barrier();
  let atWork = 0;
  let atWorkMost = 0;
  const counted: NonNullable<ItemHooks['book']> = async ({ signal }) => {
    atWorkMost = Math.max(atWorkMost, ++atWork);
    await busy.stop();
    atWork--;
    signal.throwIfAborted();
  };
  let tries = 0;

  const Plain = batchWorkflow();
  const Limited = batchWorkflow({
    name: 'limited',
    effect: 'external',
    concurrency: 3,
    hooks: { book: counted },
  });
  const Stopping = batchWorkflow({ name: 'stopping', concurrency: 1, hooks: { book: errorAt(5) } });
  const GoingOn = batchWorkflow({
    name: 'going-on',
    onItemFailure: 'continue',
    hooks: { book: errorAt(0, 7) },
  });
  const Retrying = batchWorkflow({
    name: 'retrying',
    effect: 'external',
    concurrency: 1,
    delay: 3_600_000,
    hooks: {
      book: async ({ index }) => {
        if (index === 0 && ++tries === 1) throw new NoEffectError('not yet');
      },
    },
  });
  let stage: EngineStage;
  const workflows = [Plain, Limited, Stopping, GoingOn, Retrying];

  beforeAll(async () => {
    stage = await startEngine({ workflows: workflows.map((Class) => new Class()), schema: ITEM_EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const ended = async (Class: (typeof workflows)[number], key: string, status: string) =>
    until(async () => (await stage.client.runOf(Class, key))?.status === status, {
      what: `${key} ${status}`,
    });
  const effects = async (key: string, step: string) =>
    stage.rows<{ item: number; note: string }>(
      'select item, note from app.effect where key = $1 and step = $2 order by item',
      [key, step],
    );
  const head = async (key: string, name = 'book') =>
    (
      await stage.rows<Record<string, unknown>>(
        `select s.status, s.items_total, s.items_done::text, s.items_failed::text, s.output, s.errors -> -1 ->> 'message' as error
         from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 and s.name = $2 and s.item = -1`,
        [key, name],
      )
    )[0];

  it('once, with the item and its index, and goes on behind the last of them', async () => {
    await stage.client.start(Plain, 'one', new BatchSent(names(40)));
    await ended(Plain, 'one', 'completed');
    expect(await effects('one', 'book')).toEqual(names(40).map((note, item) => ({ item, note })));
    expect(await head('one')).toMatchObject({
      status: 'done',
      items_total: 40,
      items_done: '{[0,40)}',
      items_failed: '{}',
    });
    const [{ note } = { note: '' }] = await effects('one', 'report');
    expect(JSON.parse(note)).toEqual({ total: 40, done: 40, failed: 0 });
    const rows = await stage.rows(
      `select 1 from pawl.step s join pawl.run r on r.id = s.run_id
       where r.key = 'one' and s.name = 'book' and s.item >= 0 and s.status = 'done' and s.output = to_jsonb('n' || s.item || ' booked')`,
    );
    expect(rows).toHaveLength(40);
    const keys = await stage.rows(
      `select distinct s.idempotency_key from pawl.step s join pawl.run r on r.id = s.run_id where r.key = 'one' and s.name = 'book'`,
    );
    expect(keys).toHaveLength(41);
  });

  it('of none: it is done at once', async () => {
    await stage.client.start(Plain, 'none', new BatchSent([]));
    await ended(Plain, 'none', 'completed');
    expect(await head('none')).toMatchObject({ output: { total: 0, done: 0, failed: 0 } });
  });

  it('with no more of them at work at a time than it says', async () => {
    await stage.client.start(Limited, 'limited', new BatchSent(names(9)));
    for (let n = 0; n < 9; n++) {
      await until(() => atWork === Math.min(3, 9 - n));
      (await busy.arrival())();
    }
    await ended(Limited, 'limited', 'completed');
    expect(atWorkMost).toBe(3);
  });

  it('one that gives up ends it: no other is begun, and those that are done are undone', async () => {
    await stage.client.start(Stopping, 'stopping', new BatchSent(names(12)));
    await ended(Stopping, 'stopping', 'compensated');
    const booked = await effects('stopping', 'book');
    expect(booked.map(({ item }) => item)).toEqual([0, 1, 2, 3, 4]);
    expect(await effects('stopping', 'unbook')).toEqual(
      booked.map(({ item, note }) => ({ item, note: `${note} booked` })),
    );
    expect(await head('stopping')).toMatchObject({ status: 'failed', error: 'item 5: no room for 5' });
    expect((await stage.client.runOf(Stopping, 'stopping'))?.attention).toBe(
      'step book failed: item 5: no room for 5',
    );
  });

  it('those that give up are counted, where it says so, and the others go on', async () => {
    await stage.client.start(GoingOn, 'going-on', new BatchSent(names(20)));
    await ended(GoingOn, 'going-on', 'completed');
    expect((await effects('going-on', 'book')).map(({ item }) => item)).toEqual(
      names(20).flatMap((_, n) => (n === 0 || n === 7 ? [] : [n])),
    );
    expect(await head('going-on')).toMatchObject({
      status: 'done',
      items_done: '{[1,7),[8,20)}',
      items_failed: '{[0,1),[7,8)}',
      output: { total: 20, done: 18, failed: 2 },
    });
  });

  it('one that waits for its next attempt holds up no other', async () => {
    await stage.client.start(Retrying, 'retrying', new BatchSent(names(4)));
    const givenBack = `select 1 from pawl.run r join pawl.step s on s.run_id = r.id where r.key = 'retrying' and r.lease_until is null
      and r.due_at > clock_timestamp() + interval '50 minutes' and s.items_done = '{[1,4)}'`;
    await until(async () => (await stage.rows(givenBack)).length === 1);
    await stage.rows(
      `update pawl.step set next_attempt_at = clock_timestamp() where next_attempt_at is not null`,
    );
    await stage.rows(
      `update pawl.run set due_at = clock_timestamp() - interval '1 minute' where key = 'retrying'`,
    );
    await ended(Retrying, 'retrying', 'completed');
    expect(tries).toBe(2);
    expect(await head('retrying')).toMatchObject({ output: { total: 4, done: 4, failed: 0 } });
  });
});
