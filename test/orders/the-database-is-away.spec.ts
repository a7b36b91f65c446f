import {
  fastSettings,
  PostgresProxy,
  type PostgresServer,
  startPostgres,
  testDatabase,
  until,
} from '@pawl/testing';
import { OrdersService } from './orders-service.js';

const body = { orderId: 'd-1', customer: 'ALFKI' };

describe('while PostgreSQL is away', () => {
  let server: PostgresServer;
  let orders: OrdersService;

  beforeAll(async () => {
    server = await startPostgres({ settings: fastSettings });
    const url = await server.createDatabase('orders');
    // Empty: the service migrates it at boot. It goes with its server.
    orders = await OrdersService.start({ database: { url, name: 'orders', drop: async () => undefined } });
  });

  afterAll(async () => {
    await orders?.stop();
    await server?.stop();
  });

  const submit = async () => orders.post('/orders', body, { key: 'submit' });

  it('requests are answered 503 with Retry-After and nothing of the inside, and taken when it is back', async () => {
    await server.kill();
    const refused = await submit();
    expect(refused).toMatchObject({ status: 503, body: { code: 'database_unavailable', status: 503 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.text).not.toMatch(/select|insert|postgres:|ECONN|\.ts/);
    expect(await orders.get('/orders/d-1')).toMatchObject({ status: 503 });
    expect((await orders.get('/health/ready')).status).toBe(503);
    expect((await orders.get('/health/live')).status).toBe(200);

    await server.start();
    const taken = await until(async () => withStatus(202, await submit()));
    expect(taken.body).toMatchObject({ verdict: 'applied' });
    expect((await orders.get('/health/ready')).body).toEqual({ status: 'ready' });
  });

  it('requests during a restart are each answered 202 in the end, and applied once', async () => {
    const items = Array.from({ length: 40 }, (_, index) => ({
      index,
      product: 'Chai',
      quantity: 1,
      unitPriceCents: 1_800,
    }));
    const sent = items.map(async (item) =>
      until(async () =>
        withStatus(202, await orders.post('/orders/d-1/items', item, { key: `item-${item.index}` })),
      ),
    );
    await server.restart({ mode: 'immediate' });
    await Promise.all(sent);
    const applied = await orders.rows<{ count: string }>(
      "select subject, count(*) from pawl.journal where name = 'order.item-added' and verdict = 'applied' group by 1",
    );
    expect(applied.map(({ count }) => count)).toEqual(items.map(() => '1'));
  });
});

describe('when the reply to COMMIT is lost', () => {
  let proxy: PostgresProxy;
  let orders: OrdersService;

  beforeAll(async () => {
    const database = await testDatabase();
    proxy = await PostgresProxy.start(database.url);
    orders = await OrdersService.start({ database, throughUrl: proxy.url(database.url) });
  });

  afterAll(async () => {
    await orders?.stop();
    await proxy?.close();
  });

  const applied = async (key: string) =>
    orders.rows(
      "select 1 from pawl.journal j join pawl.run r on r.id = j.run_id where r.key = $1 and verdict = 'applied'",
      [key],
    );

  it('the request is answered from the store once the doubtful transaction has ended', async () => {
    const commit = proxy.catchCommit('pawl_request_store');
    const answer = orders.post('/orders', { orderId: 'l-1', customer: 'ALFKI' });
    await commit.caught;
    commit.cutClient();
    await commit.deliver();
    expect(await answer).toMatchObject({ status: 202, body: { verdict: 'applied', rule: 'started' } });
    expect(await applied('l-1')).toHaveLength(1);
  });

  it('the request is done again if the COMMIT never arrived', async () => {
    const commit = proxy.catchCommit('pawl_request_store');
    const answer = orders.post('/orders', { orderId: 'l-2', customer: 'ALFKI' });
    await commit.caught;
    commit.lose();
    expect(await answer).toMatchObject({ status: 202, body: { verdict: 'applied', rule: 'started' } });
    expect(await applied('l-2')).toHaveLength(1);
  });
});

function withStatus<Answer extends { readonly status: number }>(
  status: number,
  answer: Answer,
): Answer | undefined {
  return answer.status === status ? answer : undefined;
}
