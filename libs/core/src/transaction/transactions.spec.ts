import { type CaughtCommit, PostgresProxy, testDatabase, type TestDatabase, until } from '@pawl/testing';
import { DataSource, EntitySchema } from 'typeorm';
import {
  BusyError,
  CommitUnknownError,
  DatabaseUnavailableError,
  sqlErrorKind,
  SwallowedSqlError,
} from './sql-error.js';
import { statement } from './statement.js';
import { ManagerRevokedError, type Transaction } from './transaction.js';
import { NotInTransactionError, Transactions } from './transactions.js';

const Note = new EntitySchema<{ id: number; text: string }>({
  name: 'note',
  columns: { id: { type: 'int', primary: true }, text: { type: 'text' } },
});
const POOL_SIZE = 4;
const INSERT = statement('spec_insert_note', 'insert into note (id, text) values ($1, $2)');
const XACT = statement('spec_same_transaction', 'select pg_current_xact_id()::text = $1 as same');

let database: TestDatabase;
let proxy: PostgresProxy;
let dataSource: DataSource;
let throughProxy: DataSource;
let transactions: Transactions;
let nextId = 0;

async function connect(url: string): Promise<DataSource> {
  const extra = { max: POOL_SIZE };
  return new DataSource({
    type: 'postgres',
    url,
    entities: [Note],
    installExtensions: false,
    extra,
  }).initialize();
}

beforeAll(async () => {
  database = await testDatabase({ empty: true });
  proxy = await PostgresProxy.start(database.url);
  dataSource = await connect(database.url);
  throughProxy = await connect(proxy.url(database.url));
  await dataSource.query('create table note (id int primary key, text text not null)');
  transactions = new Transactions(dataSource, { lockTimeoutMs: 100 });
});
afterAll(async () => {
  await Promise.all([dataSource.destroy(), throughProxy.destroy()]);
  await proxy.close();
  await database.drop();
});

const written = async (id: number): Promise<boolean> =>
  (await dataSource.query(`select 1 from note where id = ${id}`)).length > 0;
const insert = async (tx: Transaction, id: number, text = ''): Promise<unknown> =>
  tx.query(INSERT, [id, text]);
const swallow = (): undefined => undefined;

/** Fulfilled from outside: how specs order what happens side by side. */
function gate(): { open: () => void; passed: Promise<void> } {
  let open = swallow as () => void;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

it('commits what the work has written, and answers its result', async () => {
  const id = nextId++;
  expect(await transactions.run(async (tx) => (await insert(tx, id), 'done'))).toBe('done');
  expect(await written(id)).toBe(true);
});

it('rolls back when the work throws, and lets the error through', async () => {
  const id = nextId++;
  const failing = transactions.run(async (tx) => {
    await insert(tx, id);
    throw new Error('of the application');
  });
  await expect(failing).rejects.toThrow('of the application');
  expect(await written(id)).toBe(false);
});

describe('A SQL error that the work swallows', () => {
  it('is found out, and nothing is committed', async () => {
    const id = nextId++;
    const swallowing = transactions.run(async (tx) => {
      await insert(tx, id);
      await insert(tx, id).catch(swallow);
    });
    await expect(swallowing).rejects.toThrow(SwallowedSqlError);
    expect(await written(id)).toBe(false);
  });

  it('is told from the statements that fail because of it', async () => {
    const swallowing = transactions.run(async (tx) => {
      await tx.lend().manager.query('select 1 / 0').catch(swallow);
      await insert(tx, nextId++);
    });
    await expect(swallowing).rejects.toThrow(SwallowedSqlError);
  });

  it('does no harm within a savepoint', async () => {
    const [kept, dropped] = [nextId++, nextId++];
    await transactions.run(async (tx) => {
      const { manager } = tx.lend();
      await manager.insert(Note, { id: kept, text: '' });
      await manager
        .transaction(async (nested) => {
          await nested.insert(Note, { id: dropped, text: '' });
          await nested.insert(Note, { id: kept, text: '' });
        })
        .catch(swallow);
    });
    expect([await written(kept), await written(dropped)]).toEqual([true, false]);
  });
});

it('keeps what a savepoint has written', async () => {
  const id = nextId++;
  await transactions.run(async (tx) =>
    tx
      .lend()
      .manager.transaction(async (nested) =>
        nested.transaction((inner) => inner.insert(Note, { id, text: '' })),
      ),
  );
  expect(await written(id)).toBe(true);
});

describe('Work that PostgreSQL gives up', () => {
  const deadlocked = Object.assign(new Error('deadlock detected'), { driverError: { code: '40P01' } });

  it('is run again after a deadlock', async () => {
    const [a, b] = [nextId++, nextId++];
    await transactions.run(async (tx) => (await insert(tx, a), insert(tx, b)));
    const [first, second] = [gate(), gate()];
    let runs = 0;
    const update = statement('spec_update_note', `update note set text = text || '+' where id = $1`);
    const inOrder = (ids: readonly number[], mine: () => void, other: Promise<void>) =>
      transactions.run(
        async (tx) => {
          runs++;
          await tx.query(update, [ids[0]]);
          mine();
          await other;
          await tx.query(update, [ids[1]]);
        },
        { lockTimeoutMs: 10_000 },
      );
    await dataSource.query(`alter database ${database.name} set deadlock_timeout = '50ms'`);
    await Promise.all([
      inOrder([a, b], first.open, second.passed),
      inOrder([b, a], second.open, first.passed),
    ]);
    expect(runs).toBe(3);
    const texts = await dataSource.query('select text from note where id in ($1, $2)', [a, b]);
    expect(texts).toEqual([{ text: '++' }, { text: '++' }]);
  });

  it('is run a bounded number of times', async () => {
    let runs = 0;
    const always = transactions.run(
      async () => {
        runs++;
        throw deadlocked;
      },
      { attemptsMax: 3 },
    );
    await expect(always).rejects.toBe(deadlocked);
    expect(runs).toBe(3);
  });
});

it('says that it is busy when a lock is not had in time', async () => {
  const id = nextId++;
  await transactions.run((tx) => insert(tx, id));
  await dataSource.transaction(async (manager) => {
    await manager.query('select 1 from note where id = $1 for update', [id]);
    const waiting = transactions.run((tx) =>
      tx.query(statement('spec_lock_note', 'select 1 from note where id = $1 for update'), [id]),
    );
    await expect(waiting).rejects.toThrow(BusyError);
  });
});

it('lets the server end a transaction that idles', async () => {
  const id = nextId++;
  const idling = transactions.run(
    async (tx) => {
      await insert(tx, id);
      const idle = `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`;
      await until(async () => (await dataSource.query(idle)).length === 0);
    },
    { idleTimeoutMs: 50 },
  );
  await expect(idling).rejects.toThrow(DatabaseUnavailableError);
  expect(await written(id)).toBe(false);
});

it('cancels a statement that takes too long', async () => {
  const sleeping = transactions.run((tx) => tx.lend().manager.query('select pg_sleep(30)'), {
    statementTimeoutMs: 50,
  });
  await expect(sleeping).rejects.toMatchObject({ driverError: { code: '57014' } });
});

describe('A transaction that the work has ended', () => {
  it.each(['commit', 'rollback', 'commit; begin'])('has another id afterwards: %s', async (end) => {
    const same: unknown[] = [];
    const ending = transactions.run(async (tx) => {
      same.push(...(await tx.query(XACT, [tx.id])));
      await tx.lend().manager.query(end);
      same.push(...(await tx.query(XACT, [tx.id])));
    });
    await ending.catch(swallow);
    expect(same).toEqual([{ same: true }, { same: false }]);
  });

  it.each(['commit', 'rollback'])('is no success: %s', async (end) => {
    const ending = transactions.run(async (tx) => void (await tx.lend().manager.query(end)));
    await expect(ending).rejects.toMatchObject({ code: 'transaction_ended' });
  });
});

describe('An EntityManager that was lent', () => {
  const uses: [string, (manager: ReturnType<Transaction['lend']>['manager']) => Promise<unknown>][] = [
    ['a query', (manager) => manager.query('select 1')],
    ['an insert', (manager) => manager.insert(Note, { id: 1_000, text: '' })],
    ['a repository', (manager) => manager.getRepository(Note).save({ id: 1_000, text: '' })],
    [
      'a query builder',
      (manager) => manager.createQueryBuilder().insert().into(Note).values({ id: 1_000, text: '' }).execute(),
    ],
    [
      'a query builder of a repository',
      (manager) => manager.getRepository(Note).createQueryBuilder('n').getMany(),
    ],
    ['a nested transaction', (manager) => manager.transaction((nested) => nested.query('select 1'))],
    ['its query runner', async (manager) => manager.queryRunner?.query('select 1')],
    ['a stream', async (manager) => manager.queryRunner?.stream('select 1')],
  ];

  it.each(uses)('can not be used after it was revoked, by %s', async (_, use) => {
    await transactions.run(async (tx) => {
      const { manager, revoke } = tx.lend();
      revoke();
      await expect(use(manager)).rejects.toThrow(ManagerRevokedError);
    });
  });

  it('keeps nobody from lending another one', async () => {
    const id = nextId++;
    await transactions.run(async (tx) => {
      tx.lend().revoke();
      await tx.lend().manager.insert(Note, { id, text: '' });
    });
    expect(await written(id)).toBe(true);
  });

  it('is closed to a promise that floats out of the work', async () => {
    const later = gate();
    let floating: Promise<unknown> | undefined;
    await transactions.run(async (tx) => {
      const { manager, revoke } = tx.lend();
      floating = later.passed.then(() => manager.insert(Note, { id: 1_001, text: '' }));
      revoke();
    });
    later.open();
    await expect(floating).rejects.toThrow(ManagerRevokedError);
    expect(await written(1_001)).toBe(false);
  });
});

describe('A COMMIT without an answer', () => {
  const commitOf = async (text: string, what: (commit: CaughtCommit) => unknown) => {
    const id = nextId++;
    const commit = proxy.catchCommit('spec_insert_note');
    const running = new Transactions(throughProxy).run((tx) => insert(tx, id, text));
    const outcome = running.then(swallow, (error: unknown) => error);
    await commit.caught;
    await what(commit);
    return { id, error: await outcome };
  };

  it('is unknown, and here it has happened', async () => {
    const { id, error } = await commitOf('happened', async (commit) => {
      const delivered = commit.deliver();
      commit.cutClient();
      await delivered;
    });
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(await written(id)).toBe(true);
  });

  it('is unknown, and here it has not', async () => {
    const { id, error } = await commitOf('never came', (commit) => commit.lose());
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(await written(id)).toBe(false);
  });

  it('is not run again by the runner', async () => {
    let runs = 0;
    const commit = proxy.catchCommit('spec_insert_note');
    const running = new Transactions(throughProxy).run(async (tx) => {
      runs++;
      await insert(tx, nextId++);
    });
    const outcome = running.catch((error: unknown) => error);
    await commit.caught;
    commit.lose();
    expect(await outcome).toBeInstanceOf(CommitUnknownError);
    expect(runs).toBe(1);
  });

  it('runs nothing that is for after commit', async () => {
    let told = 0;
    const commit = proxy.catchCommit('spec_insert_note');
    const running = new Transactions(throughProxy).run(async (tx) => {
      tx.afterCommit(() => told++);
      await insert(tx, nextId++);
    });
    const outcome = running.catch((error: unknown) => error);
    await commit.caught;
    commit.lose();
    expect(await outcome).toBeInstanceOf(CommitUnknownError);
    expect(told).toBe(0);
  });
});

describe('A connection in doubt', () => {
  const backendOf = async (tx: Transaction): Promise<number> => {
    const [row] = await tx.query<{ pid: number }>(statement('spec_pid', 'select pg_backend_pid() as pid'));
    return row?.pid ?? 0;
  };

  it('is not used again', async () => {
    const runner = new Transactions(throughProxy);
    let doubtful = 0;
    const running = runner.run(async (tx) => {
      doubtful = await backendOf(tx);
      proxy.reset();
      await backendOf(tx);
    });
    await expect(running).rejects.toThrow(DatabaseUnavailableError);
    const pids = await Promise.all(Array.from({ length: POOL_SIZE }, () => runner.run(backendOf)));
    expect(pids).not.toContain(doubtful);
  });

  it('is not given back in a transaction that could not be begun', async () => {
    await expect(transactions.run(async () => undefined, { lockTimeoutMs: -2 })).rejects.toMatchObject({
      code: '22023',
    });
    const runs = Array.from({ length: 2 * POOL_SIZE }, () =>
      transactions.run(async (tx) => tx.query(XACT, [tx.id])),
    );
    expect(await Promise.all(runs)).toEqual(runs.map(() => [{ same: true }]));
  });

  it('leaves the pool its size after fifty failures of every kind', async () => {
    const runner = new Transactions(throughProxy, { lockTimeoutMs: 100 });
    const failures: ((tx: Transaction) => Promise<unknown>)[] = [
      async () => Promise.reject(new Error('thrown')),
      (tx) => tx.lend().manager.query('select 1 / 0'),
      (tx) => tx.lend().manager.query('select 1 / 0').catch(swallow),
      (tx) => tx.lend().manager.query('select pg_terminate_backend(pg_backend_pid())'),
      (tx) => tx.lend().manager.query('commit'),
    ];
    for (let n = 0; n < 50; n++)
      await expect(runner.run(failures[n % failures.length]!)).rejects.toThrow(/./);
    const all = gate();
    let inside = 0;
    const together = Array.from({ length: POOL_SIZE }, () =>
      runner.run(async () => {
        if (++inside === POOL_SIZE) all.open();
        await all.passed;
      }),
    );
    await Promise.all(together);
    expect(inside).toBe(POOL_SIZE);
  });
});

describe('A database that is away', () => {
  it('is told from other failures', async () => {
    const gone = await PostgresProxy.start(database.url);
    const away = await connect(gone.url(database.url));
    await gone.close();
    await expect(new Transactions(away).run(async () => undefined)).rejects.toThrow(DatabaseUnavailableError);
    await away.destroy();
  });
});

describe('A network error of the application', () => {
  it.each([
    Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' }),
    new Error('Connection terminated unexpectedly'),
  ])('is not taken for one of the database: %s', async (error) => {
    const calling = transactions.run(async () => Promise.reject(error));
    await expect(calling).rejects.toBe(error);
  });
});

describe('After commit', () => {
  it('is when the transaction has committed, not before', async () => {
    const id = nextId++;
    const seen: Promise<boolean>[] = [];
    await transactions.run(async (tx) => {
      tx.afterCommit(() => seen.push(written(id)));
      await insert(tx, id);
      expect(seen).toHaveLength(0);
    });
    expect(await Promise.all(seen)).toEqual([true]);
  });

  it('never comes after a rollback', async () => {
    let told = 0;
    const failing = transactions.run(async (tx) => {
      tx.afterCommit(() => told++);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(told).toBe(0);
  });
});

describe("A caller's own transaction", () => {
  it('is joined: one commit for both', async () => {
    const [own, ours] = [nextId++, nextId++];
    await dataSource.transaction(async (manager) => {
      await manager.insert(Note, { id: own, text: '' });
      await insert(await transactions.join(manager), ours);
    });
    expect([await written(own), await written(ours)]).toEqual([true, true]);
  });

  it('is told of its commit once, after it', async () => {
    const id = nextId++;
    const seen: Promise<boolean>[] = [];
    await dataSource.transaction(async (manager) => {
      const tx = await transactions.join(manager);
      tx.afterCommit(() => seen.push(written(id)));
      await manager.transaction((nested) => nested.insert(Note, { id, text: '' }));
      expect(seen).toHaveLength(0);
    });
    await dataSource.transaction(async () => undefined);
    expect(await Promise.all(seen)).toEqual([true]);
  });

  it('is not told of a commit that did not come', async () => {
    let told = 0;
    const failing = dataSource.transaction(async (manager) => {
      (await transactions.join(manager)).afterCommit(() => told++);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await Promise.all(
      Array.from({ length: POOL_SIZE }, () => dataSource.transaction((manager) => manager.query('select 1'))),
    );
    expect(told).toBe(0);
  });

  it('is needed, and dataSource.manager has none', async () => {
    const joining = transactions.join(dataSource.manager);
    await expect(joining).rejects.toThrow(NotInTransactionError);
    await expect(joining).rejects.toThrow('dataSource.transaction((manager) => ...)');
    const runner = dataSource.createQueryRunner();
    await expect(transactions.join(runner.manager)).rejects.toThrow(NotInTransactionError);
    await runner.release();
  });
});

it.each<[unknown, string | undefined]>([
  [{ code: '40001' }, 'retry'],
  [{ driverError: { code: '40P01' } }, 'retry'],
  [{ code: '55P03' }, 'busy'],
  [{ code: '57P01' }, 'unavailable'],
  [{ code: '08006' }, 'unavailable'],
  [{ code: '25006' }, 'unavailable'],
  [{ code: 'ECONNREFUSED' }, 'unavailable'],
  [new Error('Connection terminated unexpectedly'), 'unavailable'],
  [{ code: '23505' }, 'refused'],
  [new Error('of the application'), undefined],
  [{ code: 'step_failed' }, undefined],
  [undefined, undefined],
])('reads an error by its code: %p is %s', (error, kind) => {
  expect(sqlErrorKind(error)).toBe(kind);
});
