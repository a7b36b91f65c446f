import { request } from 'node:http';
import { OrdersService, type Reply } from './orders-service.js';

const item = { index: 0, product: 'Chai', quantity: 1, unitPriceCents: 1_800 };

describe('a request that is wrong', () => {
  let orders: OrdersService;

  beforeAll(async () => {
    orders = await OrdersService.start();
  });

  afterAll(async () => orders?.stop());

  function expectProblem(reply: Reply, status: number, code?: string): void {
    expect([reply.status, reply.body['status']]).toEqual([status, status]);
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Object.keys(reply.body)).toEqual(
      expect.arrayContaining(['type', 'title', 'status', 'detail', 'code']),
    );
    if (code !== undefined) expect(reply.body['code']).toBe(code);
    expect(reply.text).not.toMatch(/node_modules|\.ts:|\bat [A-Z]\w+\.|select |insert /);
    expect(reply.headers.has('x-powered-by')).toBe(false);
  }

  it.each(['/orders', '/orders/w-1/items', '/orders/w-1/accept'])(
    'is refused without a key: %s',
    async (path) => {
      const body = path.endsWith('items')
        ? item
        : path.endsWith('accept')
          ? { itemCount: 1 }
          : { customer: 'ALFKI' };
      expectProblem(await orders.post(path, body, { key: null }), 400, 'idempotency_key_missing');
    },
  );

  it('is refused with a key that is too long', async () => {
    const key = 'k'.repeat(256);
    expectProblem(
      await orders.post('/orders', { customer: 'ALFKI' }, { key }),
      400,
      'idempotency_key_invalid',
    );
  });

  it.each(['{"customer": ', 'ALFKI', '{"customer": "a"} trailing', '"text"', 'null'])(
    'is refused as no JSON: %s',
    async (text) => expectProblem(await orders.post('/orders', text), 400),
  );

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a list', []],
    ['a list of orders', [{ customer: 'ALFKI' }]],
    ['an unknown member', { customer: 'ALFKI', admin: true }],
    ['a customer that is no text', { customer: 7 }],
    ['a customer that is an object', { customer: { $ne: null } }],
    ['an empty customer', { customer: '' }],
    ['a customer with a NUL', { customer: 'a\u0000b' }],
    ['a customer with half a character', '{"customer": "half \\ud83d"}'],
    ['a customer that is too long', { customer: 'x'.repeat(201) }],
    ['an id with a slash', { customer: 'ALFKI', orderId: '../admin' }],
    ['a prototype', '{"customer": "ALFKI", "__proto__": {"admin": true}}'],
    ['deep nesting', `{"customer": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ])('is refused with %s', async (_, body) => expectProblem(await orders.post('/orders', body), 400));

  it.each<[string, object]>([
    ['a negative index', { index: -1 }],
    ['an index that is no whole number', { index: 0.5 }],
    ['an index in words', { index: '0' }],
    ['an index beyond all orders', { index: 1_000 }],
    ['no quantity', { quantity: 0 }],
    ['a price in fractions of a cent', { unitPriceCents: 0.1 }],
    ['a discount above all', { discountPercent: 101 }],
    ['a price beyond reason', { unitPriceCents: 1e21 }],
  ])('is refused as an item with %s', async (_, part) => {
    const refused = await orders.post('/orders/w-2/items', { ...item, ...part });
    expectProblem(refused, 400);
    expect(refused.body['errors']).toContainEqual(expect.stringContaining(String(Object.keys(part)[0])));
  });

  it('names everything that is wrong at once', async () => {
    const refused = await orders.post('/orders/w-3/items', {
      ...item,
      index: -1,
      quantity: 0,
      colour: 'red',
    });
    expect(refused.body['errors']).toHaveLength(3);
  });

  it('is refused with a body of 2 MB, and with one just above the limit', async () => {
    const ofBytes = (bytes: number) => JSON.stringify({ customer: 'x'.repeat(bytes) });
    expectProblem(await orders.post('/orders', ofBytes(2 * 1024 * 1024)), 413, 'payload_too_large');
    expectProblem(await orders.post('/orders', ofBytes(256 * 1024)), 413, 'payload_too_large');
    expectProblem(await orders.post('/orders', ofBytes(255 * 1024)), 400);
  });

  it('is refused in another type than JSON', async () => {
    const headers = { 'Content-Type': 'application/xml' };
    expectProblem(await orders.post('/orders', '<order/>', { headers }), 415, 'unsupported_media_type');
  });

  it.each(['/', '/orders', '/orders/w-1/unknown', '/admin', '/admin/v1/nothing', '/.env'])(
    'is refused where nothing is: GET %s',
    async (path) => expectProblem(await orders.get(path), 404, 'not_found'),
  );

  it('is refused with a path that is no order id', async () => {
    expectProblem(await orders.get('/orders/%20'), 400);
    expectProblem(await orders.get('/orders/%E0%A4%A'), 400);
    expectProblem(await orders.post(`/orders/${'x'.repeat(65)}/accept`, { itemCount: 1 }), 400);
  });

  it('leaves nothing behind', async () => {
    expect(await orders.rows('select 1 from pawl.run')).toEqual([]);
    expect(await orders.rows('select 1 from pawl.request')).toEqual([]);
  });

  it('does no harm when it is cut off in the middle', async () => {
    await new Promise<void>((done) => {
      const { hostname, port } = new URL(orders.url);
      const cut = request({
        hostname,
        port,
        path: '/orders',
        method: 'POST',
        headers: { 'Content-Length': 100 },
      });
      cut.on('error', () => undefined).on('close', done);
      cut.write('{"customer"', () => cut.destroy());
    });
    expect((await orders.get('/health/ready')).status).toBe(200);
  });
});
