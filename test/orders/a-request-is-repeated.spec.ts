import { submitOrder } from '@pawl/contracts';
import { ExchangeClient, newRequestId } from '@pawl/messaging';
import { until } from '@pawl/testing';
import pg from 'pg';
import { OrdersService } from './orders-service.js';

describe('a request that is repeated under its key', () => {
  let orders: OrdersService;

  beforeAll(async () => {
    orders = await OrdersService.start();
  });

  afterAll(async () => orders?.stop());

  const verdicts = async (orderId: string) =>
    orders.rows<{ verdict: string }>(
      'select j.verdict from pawl.journal j join pawl.run r on r.id = j.run_id where r.key = $1 order by j.revision',
      [orderId],
    );

  it('gets the stored answer, word for word, and does nothing', async () => {
    const body = { orderId: 'r-1', customer: 'ALFKI' };
    const first = await orders.post('/orders', body, { key: 'one' });
    const again = await orders.post('/orders', { customer: 'ALFKI', orderId: 'r-1' }, { key: 'one' });
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(await verdicts('r-1')).toEqual([{ verdict: 'applied' }]);
  });

  it('gets a stored refusal as a problem again', async () => {
    await orders.post('/orders', { orderId: 'r-2', customer: 'ALFKI' });
    const conflict = async () =>
      orders.post('/orders', { orderId: 'r-2', customer: 'ANATR' }, { key: 'two' });
    const [first, again] = [await conflict(), await conflict()];
    expect([first.status, again.status]).toEqual([409, 409]);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('is refused with another body or path by 422', async () => {
    await orders.post('/orders', { orderId: 'r-3', customer: 'ALFKI' }, { key: 'three' });
    const others = [
      await orders.post('/orders', { orderId: 'r-3', customer: 'ANATR' }, { key: 'three' }),
      await orders.post('/orders/r-3/accept', { itemCount: 1 }, { key: 'three' }),
    ];
    for (const { status, body } of others)
      expect([status, body['code']]).toEqual([422, 'request_key_reused']);
  });

  it('has one effect and one answer when many send it at once', async () => {
    const body = { orderId: 'r-4', customer: 'ALFKI' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => orders.post('/orders', body, { key: 'four' })),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(await verdicts('r-4')).toEqual([{ verdict: 'applied' }]);
  });

  it('is told to come again while its twin takes its time', async () => {
    const twin = await holder();
    await twin.query(
      "insert into pawl.request values ('orders', 'five', 'x', null, null, now(), now() + interval '1 day')",
    );
    const refused = await orders.post('/orders', { orderId: 'r-5', customer: 'ALFKI' }, { key: 'five' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'request_in_progress' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    await letGo(twin);
    expect(
      (await orders.post('/orders', { orderId: 'r-5', customer: 'ALFKI' }, { key: 'five' })).status,
    ).toBe(202);
  });

  it('is told to come again while its order is locked, and keeps its key', async () => {
    await orders.post('/orders', { orderId: 'r-6', customer: 'ALFKI' });
    const other = await holder();
    await other.query("select 1 from pawl.run where key = 'r-6' for update");
    const accept = async () => orders.post('/orders/r-6/accept', { itemCount: 1 }, { key: 'six' });
    const busy = await accept();
    expect(busy).toMatchObject({ status: 503, body: { code: 'busy' } });
    expect(busy.headers.get('retry-after')).toBe('1');
    await letGo(other);
    expect(await accept()).toMatchObject({ status: 202, body: { verdict: 'early' } });
  });

  it('keeps its key when it was refused for its form', async () => {
    const wrong = await orders.post('/orders', { orderId: 'r-7' }, { key: 'seven' });
    const right = await orders.post('/orders', { orderId: 'r-7', customer: 'ALFKI' }, { key: 'seven' });
    expect([wrong.status, right.status]).toEqual([400, 202]);
  });

  it('is exchanged by an id instead, if its caller wants to be sure of its end', async () => {
    const client = new ExchangeClient();
    const url = `${orders.url}/requests`;
    const id = newRequestId();
    const wanted = { id, type: submitOrder, body: { orderId: 'r-8', customer: 'ALFKI' } };
    const first = await client.request(url, wanted);
    expect(first).toEqual({ orderId: 'r-8', verdict: 'applied', rule: 'started', state: 'Submitted' });
    expect(await client.request(url, wanted)).toEqual(first);
    expect(await verdicts('r-8')).toEqual([{ verdict: 'applied' }]);
    await client.forget(url, id);
    await expect(client.find(url, id)).rejects.toMatchObject({ code: 'exchange_gone' });
  });

  it('gets its answer also while shipping is far behind, when new orders are asked to come later', async () => {
    const before = await orders.post('/orders', { orderId: 'r-9', customer: 'ALFKI' }, { key: 'nine' });
    await orders.rows(
      `insert into pawl.outbox_stream (destination, partition, incarnation, unacknowledged, storage, opened_at)
       values ('shipping', 255, '019a0000-0000-7000-8000-000000000001', 100000, pawl.storage_state(), now())`,
    );
    const refused = await until(async () => {
      const reply = await orders.post('/orders', { customer: 'ALFKI' });
      return reply.status === 503 ? reply : undefined;
    });
    expect([refused.body['code'], refused.headers.get('retry-after')]).toEqual(['route_congested', '1']);
    const again = await orders.post('/orders', { orderId: 'r-9', customer: 'ALFKI' }, { key: 'nine' });
    expect([again.status, again.text]).toEqual([202, before.text]);
    const item = { index: 0, product: 'Chai', quantity: 1, unitPriceCents: 1_800 };
    expect((await orders.post('/orders/r-9/items', item)).status).toBe(202);
    await orders.rows(`delete from pawl.outbox_stream where partition = 255`);
  });

  /** Another client of the service's database, in an open transaction. */
  async function holder(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: orders.databaseUrl });
    await client.connect();
    await client.query('begin');
    return client;
  }

  async function letGo(client: pg.Client): Promise<void> {
    await client.query('rollback');
    await client.end();
  }
});
