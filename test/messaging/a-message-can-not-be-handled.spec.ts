import { BusyError, PawlError, type Transaction } from '@pawl/core';
import type { Envelope, MessageConsumer } from '@pawl/messaging';
import {
  arriving,
  closedRanges,
  count,
  effectNumbers,
  effects,
  RecordingTransport,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const ATTEMPTS_MAX = 3;
let shipping: TestService;

beforeEach(async () => {
  const limits = { attemptsMax: ATTEMPTS_MAX, rangesMax: 3, lockTimeoutMs: 100 };
  shipping = await testService({ name: 'shipping', bus: new RecordingTransport(), limits });
});
afterEach(() => shipping.close());

describe('because its handler throws', () => {
  it('harms no other of its batch, and its attempts and errors are kept', async () => {
    consume(throwing((n) => n === 13));
    const outcomes = await accept(upTo(40));
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1);
    expect(outcomes[13]).toBe('open');
    expect(await effectNumbers(shipping)).toEqual(upTo(40).filter((n) => n !== 13));
    expect(await attempts()).toEqual([{ sequence: '13', attempts: 1, errors: [error('no 13')] }]);
  });

  it('because a service it calls is away: that is its own failure, no outage of the database', async () => {
    const real = effects();
    const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' });
    consume({
      name: 'calling',
      handle: async (envelopes, tx) => {
        if (envelopes.some(({ sequence }) => sequence === 1)) throw away;
        return real.handle(envelopes, tx);
      },
    });
    expect(await accept([0, 1, 2])).toEqual(['closed', 'open', 'closed']);
    expect(await attempts()).toMatchObject([
      { sequence: '1', attempts: 1, errors: [{ code: 'ECONNREFUSED' }] },
    ]);
  });

  it('becomes a dead letter with its history after so many attempts, and closes its number', async () => {
    consume(throwing((n) => n === 1));
    for (const expected of ['open', 'open', 'closed', 'duplicate']) {
      const outcomes = await accept([0, 1, 2]);
      expect(outcomes[1]).toBe(expected);
    }
    expect(await deadLetters()).toEqual([
      {
        message_id: arriving(1).id,
        stream: 'orders.shipping',
        type: 'orders.noted',
        version: 1,
        payload: { n: 1 },
        reason: 'attempts_exhausted',
        errors: [error('no 1'), error('no 1'), error('no 1')],
      },
    ]);
    expect(await attempts()).toEqual([]);
    expect(await closedRanges(shipping)).toEqual(['{[0,3)}']);
  });

  it('takes effect when it can be handled again, and its attempts are forgotten', async () => {
    let ill = true;
    consume(throwing(() => ill));
    expect(await accept([0])).toEqual(['open']);
    ill = false;
    expect(await accept([0])).toEqual(['closed']);
    expect([await effectNumbers(shipping), await attempts()]).toEqual([[0], []]);
  });

  it('leaves nothing behind of what it wrote before it threw', async () => {
    const real = effects();
    consume({
      name: 'late',
      handle: async (envelopes, tx) => {
        await real.handle(envelopes, tx);
        throw new Error('too late');
      },
    });
    expect(await accept([0])).toEqual(['open']);
    expect(await effectNumbers(shipping)).toEqual([]);
  });

  it('counts a SQL error that the handler swallowed', async () => {
    consume({
      name: 'swallowing',
      handle: async (_, tx) => {
        await withManager(tx, (query) => query('SELECT 1 / 0').catch(() => undefined));
        return [];
      },
    });
    expect(await accept([0])).toEqual(['open']);
    expect(await attempts()).toMatchObject([{ attempts: 1, errors: [{ code: 'sql_error_swallowed' }] }]);
  });
});

describe('because nobody could know what came of it', () => {
  it('is counted before it runs when it may have been tried before, and forgotten when it succeeds', async () => {
    const seen: unknown[] = [];
    const real = effects();
    consume({
      name: 'watching',
      handle: async (envelopes, tx) => {
        seen.push(...(await attempts()));
        return real.handle(envelopes, tx);
      },
    });
    expect(await accept([0], { transmission: 2 })).toEqual(['closed']);
    expect(seen).toEqual([{ sequence: '0', attempts: 1, errors: [] }]);
    expect([await effectNumbers(shipping), await attempts()]).toEqual([[0], []]);
  });

  it('becomes a dead letter without being run when its attempts left no trace but their number', async () => {
    let runs = 0;
    consume({ name: 'counting', handle: async () => (runs++, []) });
    await shipping.runtime.inbox.accept([arriving(5)]);
    await shipping.dataSource.query(
      `INSERT INTO pawl.inbox_attempt SELECT stream, partition, incarnation, 0, $1, $2 FROM pawl.inbox_stream`,
      [arriving(0).id, ATTEMPTS_MAX],
    );
    expect(await accept([0], { transmission: 9 })).toEqual(['closed']);
    expect(runs).toBe(1);
    expect(await deadLetters()).toMatchObject([{ message_id: arriving(0).id, reason: 'attempts_exhausted' }]);
  });
});

describe('for the moment', () => {
  it('stays open without an attempt when the consumer says so', async () => {
    const real = effects();
    let full = true;
    consume({
      name: 'full',
      handle: async (envelopes, tx) => {
        const left = envelopes.filter(({ sequence }) => full && sequence % 2 === 1);
        await real.handle(
          envelopes.filter((envelope) => !left.includes(envelope)),
          tx,
        );
        return left.map(({ id }) => id);
      },
    });
    expect(await accept([0, 1, 2, 3])).toEqual(['closed', 'open', 'closed', 'open']);
    expect(await accept([1, 3], { transmission: 2 })).toEqual(['open', 'open']);
    expect(spent(await attempts())).toBe(0);
    full = false;
    expect(await accept([0, 1, 2, 3], { transmission: 3 })).toEqual([
      'duplicate',
      'closed',
      'duplicate',
      'closed',
    ]);
    expect(await effectNumbers(shipping)).toEqual([0, 1, 2, 3]);
    expect(await attempts()).toEqual([]);
  });

  it('stays open without an attempt when a row is locked by others', async () => {
    consume({
      name: 'busy',
      handle: async () => {
        throw new BusyError(undefined);
      },
    });
    for (const transmission of [1, 2, 3, 4]) expect(await accept([0], { transmission })).toEqual(['open']);
    expect(spent(await attempts())).toBe(0);
  });

  it('waits only so long for the row of its partition', async () => {
    consume(effects());
    await accept([0]);
    const holder = shipping.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT * FROM pawl.inbox_stream FOR UPDATE');
    expect(await accept([0, 1])).toEqual(['open', 'open']);
    await holder.rollbackTransaction();
    await holder.release();
    expect(await accept([0, 1])).toEqual(['duplicate', 'closed']);
  });

  it('is handled by none when one of two consumers leaves it open', async () => {
    let full = true;
    consume(effects());
    consume({ name: 'full', handle: async (envelopes) => (full ? envelopes.map(({ id }) => id) : []) });
    expect(await accept([0])).toEqual(['open']);
    expect(await effectNumbers(shipping)).toEqual([]);
    full = false;
    expect(await accept([0])).toEqual(['closed']);
    expect(await effectNumbers(shipping)).toEqual([0]);
  });

  it('stays open when its number would be one range too many, and closes when the gaps are filled', async () => {
    consume(effects());
    expect(await accept([0, 2, 4, 6, 8])).toEqual(['closed', 'closed', 'closed', 'open', 'open']);
    expect(await accept([5, 3, 1, 6, 7])).toEqual(Array(5).fill('closed'));
    expect(await closedRanges(shipping)).toEqual(['{[0,8)}']);
  });
});

it('takes effect once though its sender claims ever new incarnations, of which so many are remembered', async () => {
  const limits = { restoreWindowMs: 600_000 };
  const patient = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    limits,
    database: shipping.database,
  });
  patient.runtime.consumers.register(['orders.noted'], effects());
  const outcomes: string[] = [];
  for (const n of upTo(20)) {
    const incarnation = `019a0000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    outcomes.push(...(await patient.runtime.inbox.accept([arriving(0, { incarnation })])));
  }
  expect(outcomes[0]).toBe('closed');
  expect(await effectNumbers(shipping)).toEqual([0]);
  expect(await count(shipping, 'pawl.inbox_stream')).toBe(16);
  // That they were opened before is nothing that this side knows of.
  expect(await count(shipping, `pawl.loss WHERE reason = 'receiver_set_back'`)).toBe(19);
  await patient.close();
});

it('is forgotten with its attempts a day after its number has closed or its incarnation ended', async () => {
  consume(effects());
  const older = '019a0000-0000-7000-8000-000000000000';
  await accept([9], { incarnation: older });
  await accept([0]);
  await shipping.dataSource.query(
    `INSERT INTO pawl.inbox_attempt (stream, partition, incarnation, sequence, message_id, attempts, updated_at)
     SELECT s.stream, s.partition, s.incarnation, n, gen_random_uuid(), 1, at
     FROM pawl.inbox_stream s, unnest(ARRAY[0, 1]) n, unnest(ARRAY[now() - interval '25 hours']) at
     UNION ALL SELECT 'orders.shipping', 0, gen_random_uuid(), 7, gen_random_uuid(), 1, now() - interval '25 hours'
     UNION ALL SELECT 'orders.shipping', 0, gen_random_uuid(), 8, gen_random_uuid(), 1, now()`,
  );
  await shipping.runtime.restoreWindow.pass();
  expect((await attempts()).map(({ sequence }) => sequence)).toEqual(['1', '8']);
});

function consume(consumer: MessageConsumer): void {
  shipping.runtime.consumers.register(['orders.noted'], consumer);
}

function throwing(bad: (n: number) => boolean): MessageConsumer {
  const real = effects();
  return {
    name: 'throwing',
    handle: async (envelopes, tx) => {
      await real.handle(envelopes, tx);
      const found = envelopes.find(({ sequence }) => bad(sequence));
      if (found) throw new PawlError('bad_message', `no ${found.sequence}`);
      return [];
    },
  };
}

async function accept(sequences: number[], fields: Partial<Envelope> = {}): Promise<string[]> {
  return shipping.runtime.inbox.accept(sequences.map((n) => arriving(n, fields)));
}

async function attempts(): Promise<{ sequence: string; attempts: number; errors: unknown[] }[]> {
  return shipping.dataSource.query(
    'SELECT sequence, attempts, errors FROM pawl.inbox_attempt ORDER BY sequence',
  );
}

function spent(rows: readonly { attempts: number }[]): number {
  return rows.reduce((sum, row) => sum + row.attempts, 0);
}

async function deadLetters(): Promise<unknown[]> {
  return shipping.dataSource.query(
    'SELECT message_id, stream, type, version, payload, reason, errors FROM pawl.dead_letter ORDER BY id',
  );
}

function error(message: string): unknown {
  return { at: expect.any(String), name: 'PawlError', code: 'bad_message', message };
}

async function withManager(
  tx: Transaction,
  work: (query: (sql: string) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const lent = tx.lend();
  await work((sql) => lent.manager.query(sql));
  lent.revoke();
}
