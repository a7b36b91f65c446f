import { CommitUnknownError, type Transaction, type TransactionOptions, Transactions } from '@pawl/core';
import { testDatabase, type TestDatabase, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { Webhooks } from '../webhook/webhooks.js';
import { Exchange } from './exchange.js';
import { newRequestId, timeOfRequestId } from './request-id.js';
import { RequestHandlers } from './request-handlers.js';
import { requestType } from './request-type.js';

const printLabel = requestType<number, string>({ name: 'labels.print' });
const limits = {
  windowMs: 60_000,
  aheadMs: 1_000,
  handlerTimeoutMs: 5_000,
  twinWaitMs: 1_000,
  concurrency: 1,
};

let database: TestDatabase;
let dataSource: DataSource;
let gate: Promise<void> | undefined;
let begun = 0;
const handlers = new RequestHandlers();

beforeAll(async () => {
  database = await testDatabase();
  dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await dataSource.query('create table effect (id text)');
  handlers.register(printLabel, async (weight, { id, manager }) => {
    begun++;
    await manager.query('insert into effect values ($1)', [id]);
    await gate;
    return `label of ${weight}`;
  });
});
afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const keyOf = (id = newRequestId()) => ({ id, atMs: timeOfRequestId(id) ?? 0, caller: '' });
const effects = async (id: string) =>
  (await dataSource.query<unknown[]>('select 1 from effect where id = $1', [id])).length;

/** Loses the reply to one COMMIT, which has happened or not. */
class Lossy extends Transactions {
  private lost = false;

  constructor(private readonly committed: boolean) {
    super(dataSource);
  }

  override async run<T>(
    work: (tx: Transaction) => Promise<T>,
    options?: Partial<TransactionOptions>,
  ): Promise<T> {
    if (this.lost) return super.run(work, options);
    this.lost = true;
    if (this.committed) await super.run(work, options);
    throw new CommitUnknownError(undefined);
  }
}

describe.each([true, false])('A reply to COMMIT is lost, which has happened: %s', (committed) => {
  it('of PUT: it is stored, once', async () => {
    const key = keyOf();
    const { view } = await new Exchange(new Lossy(committed), handlers, limits).put(key, 'labels.print', 1);
    expect(view.state).toBe('stored');
  });

  it('of POST: one effect, and its answer', async () => {
    const key = keyOf();
    await new Exchange(new Transactions(dataSource), handlers, limits).put(key, 'labels.print', 1);
    const { view, replayed } = await new Exchange(new Lossy(committed), handlers, limits).post(key);
    expect([view.answer, replayed, await effects(key.id)]).toEqual(['label of 1', committed, 1]);
  });

  it('of a webhook: one effect', async () => {
    const webhooks = new Webhooks(new Lossy(committed), limits);
    const id = newRequestId();
    const webhook = { source: 'spec', id, payload: null, retentionMs: 60_000 };
    const accepted = await webhooks.accept(webhook, async (_, { manager }) => {
      await manager.query('insert into effect values ($1)', [id]);
    });
    expect([accepted, await effects(id)]).toEqual([committed ? 'duplicate' : 'new', 1]);
  });
});

it('takes no more requests at a time than it has places', async () => {
  const exchange = new Exchange(new Transactions(dataSource), handlers, limits);
  const [first, second] = [keyOf(), keyOf()];
  for (const key of [first, second]) await exchange.put(key, 'labels.print', 1);
  let open = (): void => undefined;
  gate = new Promise((resolve) => (open = resolve));
  begun = 0;
  const answer = exchange.post(first);
  await until(() => begun === 1);
  await expect(exchange.post(second)).rejects.toMatchObject({ code: 'busy' });
  open();
  await answer;
  expect((await exchange.post(second)).replayed).toBe(false);
});
