import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Transactions } from '@pawl/core';
import { ExchangePruner, newRequestId, requestIdOf } from '@pawl/messaging';
import { testDatabase, type TestDatabase, until } from '@pawl/testing';
import { type ExchangeService, LABELS, openExchangeService, type Parcel } from './exchange-service.js';

const HOUR_MS = 3_600_000;
const WINDOW_MS = 24 * HOUR_MS;
const put = (body: unknown) => JSON.stringify({ type: 'labels.print', body });

/** A caller is who it says it is: what a guard would have found out. */
class AskedGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers['x-caller'] !== 'stranger';
  }
}

describe('A request is exchanged', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let service: ExchangeService;

  beforeAll(async () => {
    database = await testDatabase();
    dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await dataSource.query(LABELS);
    service = await openExchangeService(database.url, {
      guards: [AskedGuard],
      caller: ({ headers }) => String(headers['x-caller'] ?? ''),
      handlerTimeoutMs: 700,
      twinWaitMs: 150,
      concurrency: 4,
    });
  });
  afterAll(async () => {
    await service?.close();
    await dataSource?.destroy();
    await database?.drop();
  });
  beforeEach(() => (service.labels.begun = 0));

  async function ask(
    method: string,
    id: string,
    { body, caller = 'ann' }: { body?: string; caller?: string } = {},
  ) {
    const headers = { 'content-type': 'application/json', 'x-caller': caller };
    const response = await fetch(`${service.url}/${id}`, { method, headers, ...(body && { body }) });
    const text = await response.text();
    const { status } = response;
    return {
      status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : null) as Record<string, unknown>,
    };
  }
  const stored = async (parcel: Parcel, id = newRequestId()): Promise<string> => {
    expect(await ask('PUT', id, { body: put(parcel) })).toMatchObject({
      status: 201,
      body: { state: 'stored' },
    });
    return id;
  };
  /** POSTs, and again as long as another one is at it. */
  const inTurn = async (id: string) =>
    until(async () => {
      const reply = await ask('POST', id);
      return reply.status === 409 ? undefined : reply;
    });
  const labelsOf = async (id: string): Promise<number> =>
    (await dataSource.query<unknown[]>('select 1 from label where request = $1', [id])).length;
  const rows = async (id: string): Promise<unknown[]> =>
    dataSource.query('select body, answer from pawl.exchange where id = $1', [id]);

  it('by PUT, POST, GET and DELETE, each of which may be repeated', async () => {
    const id = await stored({ weight: 3 });
    expect(await ask('PUT', id, { body: put({ weight: 3 }) })).toMatchObject({
      status: 200,
      body: { state: 'stored' },
    });
    expect(await labelsOf(id)).toBe(0);
    const first = await ask('POST', id);
    expect(first).toMatchObject({
      status: 200,
      body: { id, state: 'answered', answer: { label: 'label of 3' } },
    });
    const again = await ask('POST', id);
    expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([first.body, 'true']);
    expect([(await ask('GET', id)).body, (await ask('PUT', id, { body: put({ weight: 3 }) })).body]).toEqual([
      first.body,
      first.body,
    ]);
    expect(await labelsOf(id)).toBe(1);
    expect([(await ask('DELETE', id)).status, (await ask('DELETE', id)).status]).toEqual([204, 204]);
    expect(await rows(id)).toEqual([{ body: null, answer: null }]);
  });

  it('and comes late, after it was deleted: nothing is created, nothing runs (D11)', async () => {
    const [processed, never, unheard] = [
      await stored({ weight: 1 }),
      await stored({ weight: 1 }),
      newRequestId(),
    ];
    await ask('POST', processed);
    for (const id of [processed, never, unheard]) {
      expect((await ask('DELETE', id)).status).toBe(204);
      const late = [
        await ask('PUT', id, { body: put({ weight: 1 }) }),
        await ask('POST', id),
        await ask('GET', id),
      ];
      for (const { status, body } of late)
        expect([status, body['code']]).toEqual([410, 'exchange_forgotten']);
      expect(await rows(id)).toEqual([{ body: null, answer: null }]);
    }
    expect([await labelsOf(processed), await labelsOf(never), await labelsOf(unheard)]).toEqual([1, 0, 0]);
  });

  it.each([
    ['long ago', -WINDOW_MS - 1_000, 'exchange_id_expired'],
    ['ahead of all clocks', HOUR_MS, 'exchange_id_ahead'],
  ])('with an id from %s: every verb is 410 and nothing runs', async (when, offsetMs, code) => {
    const id = requestIdOf(Date.now() + offsetMs, when);
    const insert = `insert into pawl.exchange (id, caller, type, digest, body) values ($1, 'ann', 'labels.print', 'x', '{"weight":1}')`;
    for (const there of [false, true]) {
      if (there) await dataSource.query(insert, [id]);
      for (const verb of ['PUT', 'POST', 'GET', 'DELETE']) {
        const body = verb === 'PUT' ? put({ weight: 1 }) : undefined;
        expect(await ask(verb, id, { ...(body && { body }) })).toMatchObject({ status: 410, body: { code } });
      }
      expect(await rows(id)).toHaveLength(there ? 1 : 0);
    }
    expect(await labelsOf(id)).toBe(0);
    await dataSource.query('delete from pawl.exchange where id = $1', [id]);
  });

  it.each([
    ['almost out of the window', -WINDOW_MS + 60_000],
    ['of a clock that is a little ahead', 60_000],
  ])('with an id %s', async (when, offsetMs) => {
    const id = await stored({ weight: 1 }, requestIdOf(Date.now() + offsetMs, when));
    expect((await ask('POST', id)).status).toBe(200);
  });

  it('with another body under one id: 422, and the first holds', async () => {
    const id = await stored({ weight: 4 });
    const other = await ask('PUT', id, { body: put({ weight: 5 }) });
    expect(other).toMatchObject({ status: 422, body: { code: 'exchange_body_differs' } });
    expect((await ask('POST', id)).body['answer']).toEqual({ label: 'label of 4' });
  });

  it('by many at once: one of them creates it, one effect, one answer', async () => {
    const id = newRequestId();
    const puts = await Promise.all(
      Array.from({ length: 4 }, () => ask('PUT', id, { body: put({ weight: 2 }) })),
    );
    expect(puts.filter(({ status }) => status === 201)).toHaveLength(1);
    const posts = await Promise.all(Array.from({ length: 4 }, () => inTurn(id)));
    expect(new Set(posts.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(await labelsOf(id)).toBe(1);
  });

  it('while it is being processed: who comes then is told to come again, and DELETE too', async () => {
    const id = await stored({ weight: 6, then: 'wait' });
    const first = ask('POST', id);
    await until(() => service.labels.begun === 1);
    for (const verb of ['POST', 'DELETE']) {
      const refused = await ask(verb, id);
      expect(refused).toMatchObject({ status: 409, body: { code: 'request_in_progress' } });
      expect(refused.headers.get('retry-after')).toBe('1');
    }
    expect((await ask('GET', id)).body['state']).toBe('stored');
    service.labels.open();
    expect((await first).status).toBe(200);
    expect(await labelsOf(id)).toBe(1);
  });

  it('and its handler throws: nothing is left of it, and the next POST does it', async () => {
    const id = await stored({ weight: 7, then: 'throw' });
    const failed = await ask('POST', id);
    expect([failed.status, JSON.stringify(failed.body).includes('secret')]).toEqual([500, false]);
    expect([await labelsOf(id), (await ask('GET', id)).body['state']]).toEqual([0, 'stored']);
    expect((await ask('POST', id)).status).toBe(200);
    expect(await labelsOf(id)).toBe(1);
  });

  it('and its handler hangs: it loses its connection in time, and nothing is left of it', async () => {
    const id = await stored({ weight: 7, then: 'hang' });
    expect((await ask('POST', id)).status).toBe(500);
    expect([await labelsOf(id), (await ask('GET', id)).body['state']]).toEqual([0, 'stored']);
  });

  it('and refused for good: the refusal is kept, the effect is not', async () => {
    const id = await stored({ weight: 8, then: 'refuse' });
    const refusal = { code: 'too_heavy', detail: 'No label for so much.' };
    const first = await ask('POST', id);
    expect(first).toMatchObject({ status: 200, body: { state: 'refused', refusal } });
    expect((await ask('POST', id)).body).toEqual(first.body);
    expect([await labelsOf(id), service.labels.begun]).toEqual([0, 1]);
  });

  it('by its caller only', async () => {
    const id = await stored({ weight: 9 });
    const byBob = { caller: 'bob' };
    for (const verb of ['POST', 'GET', 'DELETE'])
      expect(await ask(verb, id, byBob)).toMatchObject({ status: 404, body: { code: 'exchange_not_found' } });
    expect((await ask('PUT', id, { ...byBob, body: put({ weight: 9 }) })).status).toBe(422);
    expect((await ask('POST', id, { caller: 'stranger' })).status).toBe(403);
    expect([await labelsOf(id), (await ask('GET', id)).body['state']]).toEqual([0, 'stored']);
  });

  it.each([
    ['no id', 'PUT', 'x', put({ weight: 1 }), 400, 'exchange_id_invalid'],
    ['an id without a time', 'POST', '6ba7b810-9dad-41d1-80b4-00c04fd430c8', '', 400, 'exchange_id_invalid'],
    ['an id that nobody has put', 'POST', newRequestId(), '', 404, 'exchange_not_found'],
    ['no JSON', 'PUT', newRequestId(), '{', 400, 'bad_request'],
    [
      'something beside type and body',
      'PUT',
      newRequestId(),
      '{"type":"labels.print","body":1,"x":1}',
      400,
      'exchange_body_invalid',
    ],
    ['a body of another form', 'PUT', newRequestId(), put({ weight: 0 }), 400, 'exchange_body_invalid'],
    [
      'an unknown type',
      'PUT',
      newRequestId(),
      '{"type":"labels.burn","body":1}',
      422,
      'request_type_unknown',
    ],
    [
      'a body that is too large',
      'PUT',
      newRequestId(),
      put({ then: 'x'.repeat(300_000) }),
      413,
      'payload_too_large',
    ],
  ])('with %s: a problem, and nothing is stored', async (_, verb, id, body, status, code) => {
    const refused = await ask(verb, id, { ...(body && { body }) });
    expect([refused.status, refused.body['code']]).toEqual([status, code]);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    if (verb === 'PUT' && id !== 'x') expect(await rows(id)).toEqual([]);
  });

  it('and pruned once its time is out of the window, tombstones included; no longer window brings it back', async () => {
    await dataSource.query('delete from pawl.exchange');
    const old = requestIdOf(Date.now() - 2 * HOUR_MS, 'old');
    const older = requestIdOf(Date.now() - 3 * HOUR_MS, 'older');
    const young = await stored({ weight: 1 });
    // Just outside: a transaction may still be under way that has found it inside.
    const leaving = await stored({ weight: 1 }, requestIdOf(Date.now() - HOUR_MS - 20_000, 'leaving'));
    await stored({ weight: 1 }, old);
    await ask('POST', old);
    await ask('DELETE', older);
    const transactions = new Transactions(dataSource);
    const pruner = new ExchangePruner(transactions, { windowMs: HOUR_MS, batchMax: 1 });
    expect([await pruner.pass(), await pruner.pass(), await pruner.pass()]).toEqual([1, 1, 0]);
    expect(await dataSource.query('select id from pawl.exchange order by id')).toEqual([
      { id: leaving },
      { id: young },
    ]);
    // The window of the service is a day: what was pruned with a window of an hour stays gone all the same.
    for (const id of [old, older])
      expect((await ask('PUT', id, { body: put({ weight: 1 }) })).body['code']).toBe('exchange_id_expired');
    expect(await labelsOf(old)).toBe(1);
  });
});
