import { run } from '@pawl/cli';
import { BullTransport, openBullBackend } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { ADMIN_TOKEN, OrdersService } from './orders-service.js';

interface ListedRun {
  readonly id: string;
  readonly key: string;
}

describe('an operator who looks at orders', () => {
  let orders: OrdersService;

  beforeAll(async () => {
    orders = await OrdersService.start();
    const item = { index: 0, product: 'Chai', quantity: 1, unitPriceCents: 1_800 };
    for (const id of ['o-1', 'o-2', 'o-3']) await orders.post('/orders', { orderId: id, customer: 'ALFKI' });
    await orders.post('/orders/o-4/accept', { itemCount: 1 });
    for (let n = 0; n < 3; n++) await orders.post('/orders/o-1/items', item);
    await orders.post('/orders/o-1/items', { ...item, quantity: 2 });
    await orders.post('/orders/o-1/accept', { itemCount: 1 });
    await until(async () => (await orders.get('/orders/o-1')).body['state'] === 'AwaitingShipment');
  });

  afterAll(async () => orders?.stop());

  const ask = async (path: string, token = ADMIN_TOKEN) =>
    orders.get(`/admin/v1/runs${path}`, { authorization: `Bearer ${token}` });

  const keysOf = async (query: string) =>
    ((await ask(query)).body['runs'] as ListedRun[]).map(({ key }) => key).sort();

  it.each([
    ['', ['o-1', 'o-2', 'o-3', 'o-4']],
    ['?workflow=order&state=Submitted', ['o-2', 'o-3']],
    ['?status=awaited', ['o-4']],
    ['?key=o-2', ['o-2']],
    ['?attention=true', ['o-1']],
    ['?attention=false&state=Submitted&limit=100', ['o-2', 'o-3']],
    [`?key=${encodeURIComponent("' or true --")}`, []],
  ])('finds runs by%s', async (query, keys) => expect(await keysOf(query)).toEqual(keys));

  it('turns pages without missing or repeating a run', async () => {
    const seen: string[] = [];
    let next: unknown = undefined;
    do {
      const page = await ask(`?limit=1${typeof next === 'string' ? `&after=${next}` : ''}`);
      seen.push(...(page.body['runs'] as ListedRun[]).map(({ key }) => key));
      next = page.body['next'];
    } while (next !== null);
    expect(seen.sort()).toEqual(['o-1', 'o-2', 'o-3', 'o-4']);
  });

  it('sees what has become of one', async () => {
    const [listed] = (await ask('?key=o-1')).body['runs'] as ListedRun[];
    const { status, headers, body } = await ask(`/${listed?.id}`);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({
      key: 'o-1',
      status: 'waiting',
      state: 'AwaitingShipment',
      attention: expect.any(String) as string,
      data: { customer: 'ALFKI', lines: { 0: { product: 'Chai' } } },
      timers: [{ member: 'overdue', state: 'AwaitingShipment' }],
      parked: [],
      losses: [],
    });
    expect(body['verdicts']).toEqual([
      { verdict: 'applied', rule: 'accepted', count: 2 },
      { verdict: 'applied', rule: 'started', count: 1 },
      { verdict: 'duplicate', rule: 'item-seen', count: 2 },
      { verdict: 'rejected', rule: 'conflicting-content', count: 1 },
    ]);
    expect(body['steps']).toMatchObject([
      { name: 'reserveStock', status: 'done', attempts: 1 },
      {
        name: 'charge',
        status: 'done',
        effect: 'external',
        output: { chargeId: expect.any(String) as string },
      },
      { name: 'releaseForShipment', status: 'done' },
    ]);
    const story = (body['timeline'] as { name: string }[]).map(({ name }) => name);
    expect(story[0]).toBe('order.submitted');
    expect(story.indexOf('charge')).toBeGreaterThan(story.indexOf('order.accepted'));
    expect(
      (body['messages'] as { type: string; to: string }[]).map(({ type, to }) => `${type} ${to}`),
    ).toEqual([
      'order.submitted shipping',
      'order.item-added shipping',
      'order.accepted shipping',
      'order.released shipping',
    ]);
  });

  it('sees what waits for a run that nobody has started', async () => {
    const [listed] = (await ask('?key=o-4')).body['runs'] as ListedRun[];
    expect((await ask(`/${listed?.id}`)).body).toMatchObject({
      status: 'awaited',
      state: null,
      parked: [{ type: 'order.accepted', source: 'http', overdue: false }],
    });
  });

  it.each([
    '?limit=0',
    '?limit=101',
    '?limit=1e2',
    '?sort=key',
    '?key=a&key=b',
    '?key[x]=a',
    '?key=%00',
    '?attention=yes',
    '?after=1',
    '/1',
  ])('is told what is wrong with %s', async (path) => {
    const refused = await ask(path);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('sees what its routes promise, and how long a copy without a number is recognised', async () => {
    const { status, body } = await orders.get('/admin/v1/promises', {
      authorization: `Bearer ${ADMIN_TOKEN}`,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      routes: [{ to: 'shipping', guarantee: 'exactly-once', order: 'none', transport: 'bus', partitions: 8 }],
      windows: expect.arrayContaining([
        { entrance: 'idempotency-key', name: '', windowMs: 24 * 60 * 60 * 1000 },
      ]) as unknown[],
    });
  });

  it('sees what was refused at the bus, and why', async () => {
    const backend = openBullBackend(orders.busUrl);
    await new BullTransport(backend).publish('orders', [{ forged: true } as never]);
    await until(async () => {
      const { body } = await orders.get('/admin/v1/deliveries', { authorization: `Bearer ${ADMIN_TOKEN}` });
      return (body['refused'] as Record<string, number>)['unsigned'] === 1;
    });
    await backend.close();
  });

  it('has a dead letter redriven or waived by the running service, asked for from the command line', async () => {
    const pawl = async (...args: string[]) =>
      run(
        ['dead-letters', ...args, '--actor', 'ann', '--reason', 'asked again'],
        { DATABASE_URL: orders.databaseUrl },
        {
          out: () => undefined,
          error: () => undefined,
        },
      );
    const letter = async () => {
      const [row] = await orders.rows<Record<string, unknown>>('select * from pawl.dead_letter');
      return row ?? {};
    };
    const id = String((await letter())['id']);
    expect(await pawl('redrive', id)).toBe(0);
    await until(async () => (await letter())['requested'] === null);
    // Its run still says otherwise: the same row has one error more.
    expect(await letter()).toMatchObject({
      tries: 1,
      resolution: null,
      errors: [{ code: 'conflicting-content' }],
    });
    expect(await pawl('waive', id)).toBe(0);
    await until(async () => (await letter())['resolution'] === 'waived');
    expect(await orders.rows('select id, reason, detail, run_key from pawl.loss')).toEqual([
      { id, reason: 'waived', detail: 'ann: asked again', run_key: 'o-1' },
    ]);
  });

  it('is told when there is no such run', async () => {
    expect(await ask('/0190c0de-0000-7000-8000-000000000000')).toMatchObject({ status: 404 });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer wrong',
    `Basic ${ADMIN_TOKEN}`,
    `Bearer ${ADMIN_TOKEN}x`,
    ADMIN_TOKEN,
  ])('is not let in with the authorization %s', async (authorization) => {
    for (const path of [
      '/admin/v1/runs',
      '/admin/v1/runs/0190c0de-0000-7000-8000-000000000000',
      '/admin/v1/runs?x=1',
      '/admin/v1/promises',
      '/admin/v1/deliveries',
    ]) {
      const refused = await orders.get(path, authorization === undefined ? {} : { authorization });
      expect(refused).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });
});

describe('a service without an admin token', () => {
  it('has no admin endpoint', async () => {
    const orders = await OrdersService.start({ env: { PAWL_ADMIN_TOKEN: '' } });
    const refused = await orders.get('/admin/v1/runs', { authorization: `Bearer ${ADMIN_TOKEN}` });
    await orders.stop();
    expect(refused).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
