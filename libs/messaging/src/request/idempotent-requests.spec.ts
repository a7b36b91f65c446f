import {
  CommitUnknownError,
  statement,
  type Transaction,
  type TransactionOptions,
  Transactions,
} from '@pawl/core';
import { testDatabase, type TestDatabase, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import type { RequestIdentity } from './idempotency-key.js';
import { type Answer, IdempotentRequests } from './idempotent-requests.js';
import { RequestPruner } from './request-pruner.js';

const EFFECT = statement('spec_effect', 'insert into effect (who) values ($1)');
const accepted: Answer = { status: 202, body: { verdict: 'applied' } };

let database: TestDatabase;
let dataSource: DataSource;
let transactions: Transactions;
let requests: IdempotentRequests;

beforeAll(async () => {
  database = await testDatabase();
  dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await dataSource.query('create table effect (who text)');
  transactions = new Transactions(dataSource);
  requests = new IdempotentRequests(transactions, { twinWaitMs: 100 });
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

let last = 0;
const fresh = (): RequestIdentity => ({ scope: 'spec', key: `key-${++last}`, fingerprint: 'this' });

const effectOf =
  ({ key }: RequestIdentity, answer: Answer = accepted) =>
  async (tx: Transaction): Promise<Answer> => {
    await tx.query(EFFECT, [key]);
    return answer;
  };

async function effects({ key }: RequestIdentity): Promise<number> {
  const rows: unknown[] = await dataSource.query('select 1 from effect where who = $1', [key]);
  return rows.length;
}

describe('a request under a key of its own', () => {
  it('is done and answered', async () => {
    const request = fresh();
    expect(await requests.answer(request, effectOf(request))).toEqual({ answer: accepted, replayed: false });
    expect(await effects(request)).toBe(1);
  });

  it('leaves nothing behind and keeps the key free if its work throws', async () => {
    const request = fresh();
    const failing = requests.answer(request, async (tx) => {
      await effectOf(request)(tx);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await effects(request)).toBe(0);
    expect(await requests.answer(request, effectOf(request))).toMatchObject({ replayed: false });
  });

  it.each([500, 503, 429, 102])('is never stored with the passing answer %d', async (status) => {
    const request = fresh();
    const passing = requests.answer(request, effectOf(request, { status, body: null }));
    await expect(passing).rejects.toMatchObject({ code: 'invariant_broken' });
    expect(await effects(request)).toBe(0);
  });
});

describe('a repeated request', () => {
  it('gets the stored answer and does nothing', async () => {
    const request = fresh();
    const conflict: Answer = { status: 409, body: { code: 'late' } };
    await requests.answer(request, effectOf(request, conflict));
    expect(await requests.answer(request, effectOf(request))).toEqual({ answer: conflict, replayed: true });
    expect(await effects(request)).toBe(1);
  });

  it('is refused with another content', async () => {
    const request = fresh();
    await requests.answer(request, effectOf(request));
    const other = requests.answer({ ...request, fingerprint: 'other' }, effectOf(request));
    await expect(other).rejects.toMatchObject({ code: 'request_key_reused' });
  });

  it('is another request in another scope', async () => {
    const request = fresh();
    await requests.answer(request, effectOf(request));
    const elsewhere = await requests.answer({ ...request, scope: 'other' }, effectOf(request));
    expect(elsewhere.replayed).toBe(false);
  });

  it('is done again once its answer has expired', async () => {
    const request = fresh();
    await new IdempotentRequests(transactions, { keptMs: 0 }).answer(request, effectOf(request));
    const again = { ...request, fingerprint: 'other' };
    expect(await requests.answer(again, effectOf(request))).toMatchObject({ replayed: false });
    expect(await effects(request)).toBe(2);
  });
});

describe('two twins at once', () => {
  it('are refused the second while the first takes longer than the wait', async () => {
    const request = fresh();
    const { open, first } = await inProgress(request);
    const second = requests.answer(request, effectOf(request));
    await expect(second).rejects.toMatchObject({ code: 'request_in_progress' });
    open();
    await first;
  });

  it('have one effect and one answer', async () => {
    const request = fresh();
    const patient = new IdempotentRequests(transactions);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => patient.answer(request, effectOf(request))),
    );
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await effects(request)).toBe(1);
  });

  it('give the second its turn if the first fails', async () => {
    const request = fresh();
    const { open, first } = await inProgress(request, new Error('no'));
    const second = new IdempotentRequests(transactions).answer(request, effectOf(request));
    await until(waiting, { what: 'the second to wait' });
    open();
    await expect(first).rejects.toThrow('no');
    expect(await second).toMatchObject({ replayed: false });
    expect(await effects(request)).toBe(1);
  });

  async function inProgress(request: RequestIdentity, failure?: Error) {
    let open = (): void => undefined;
    const gate = new Promise<void>((done) => (open = done));
    let begun = false;
    const first = requests.answer(request, async (tx) => {
      begun = true;
      await gate;
      if (failure !== undefined) throw failure;
      return effectOf(request)(tx);
    });
    first.catch(() => undefined);
    await until(() => begun);
    return { open, first };
  }

  async function waiting(): Promise<boolean> {
    const rows: unknown[] = await dataSource.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.length > 0;
  }
});

describe('a lost reply to COMMIT', () => {
  /** Loses the reply to the first COMMIT, which has happened or not. */
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

  it('is answered from the store if it has happened', async () => {
    const request = fresh();
    const answered = await new IdempotentRequests(new Lossy(true)).answer(request, effectOf(request));
    expect(answered).toEqual({ answer: accepted, replayed: true });
    expect(await effects(request)).toBe(1);
  });

  it('is done now if it has not', async () => {
    const request = fresh();
    const answered = await new IdempotentRequests(new Lossy(false)).answer(request, effectOf(request));
    expect(answered).toEqual({ answer: accepted, replayed: false });
    expect(await effects(request)).toBe(1);
  });
});

describe('the pruner', () => {
  it('removes what has expired, a batch at a time, and nothing else', async () => {
    await dataSource.query('delete from pawl.request');
    const kept = fresh();
    await requests.answer(kept, effectOf(kept));
    const passing = new IdempotentRequests(transactions, { keptMs: 0 });
    for (const request of [fresh(), fresh(), fresh()]) await passing.answer(request, effectOf(request));
    const pruner = new RequestPruner(transactions, { batchMax: 2 });
    expect([await pruner.pass(), await pruner.pass(), await pruner.pass()]).toEqual([2, 1, 0]);
    expect(await dataSource.query('select key from pawl.request')).toEqual([{ key: kept.key }]);
  });
});
