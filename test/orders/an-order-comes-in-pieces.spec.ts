import { until } from '@pawl/testing';
import { OrdersService } from './orders-service.js';

const chai = { product: 'Chai', quantity: 10, unitPriceCents: 1_800, discountPercent: 5 };

describe('an order that comes in pieces', () => {
  let orders: OrdersService;

  beforeAll(async () => {
    orders = await OrdersService.start();
  });

  afterAll(async () => orders?.stop());

  const submit = (orderId: string, customer = 'ALFKI') => orders.post('/orders', { orderId, customer });
  const addItem = (id: string, index: number, line: object = chai) =>
    orders.post(`/orders/${id}/items`, { index, ...line });
  const accept = (id: string, itemCount: number) => orders.post(`/orders/${id}/accept`, { itemCount });

  async function released(id: string, itemCount: number): Promise<void> {
    await submit(id);
    for (let index = 0; index < itemCount; index++) await addItem(id, index);
    await accept(id, itemCount);
    await until(async () => (await orders.get(`/orders/${id}`)).body['state'] === 'AwaitingShipment');
  }

  it('is submitted, filled and accepted, each with a 202 and its verdict', async () => {
    const answers = [await submit('a-1'), await addItem('a-1', 0), await accept('a-1', 1)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(answers.map(({ body }) => body)).toEqual([
      { orderId: 'a-1', verdict: 'applied', rule: 'started', state: 'Submitted' },
      { orderId: 'a-1', verdict: 'applied', rule: 'accepted', state: 'Submitted' },
      { orderId: 'a-1', verdict: 'applied', rule: 'accepted', state: 'Accepted' },
    ]);
  });

  it('is reserved, charged and released once', async () => {
    await released('a-2', 3);
    expect((await orders.get('/orders/a-2')).body).toMatchObject({
      orderId: 'a-2',
      status: 'waiting',
      customer: 'ALFKI',
      attention: null,
      totalCents: 51_300,
      items: [0, 1, 2].map((index) => ({ index, ...chai })),
    });
    const reserved = await orders.rows(
      "select item_index from orders.reservation where order_id = 'a-2' order by 1",
    );
    expect(reserved).toEqual([{ item_index: 0 }, { item_index: 1 }, { item_index: 2 }]);
  });

  it('is parked when its items and its acceptance come first, and taken when it comes', async () => {
    const early = [await accept('a-3', 1), await addItem('a-3', 0)];
    for (const { status, body } of early) {
      expect([status, body]).toEqual([
        202,
        { orderId: 'a-3', verdict: 'early', rule: 'run-not-started', state: null },
      ]);
    }
    expect((await orders.get('/orders/a-3')).body).toMatchObject({
      status: 'awaited',
      state: null,
      items: [],
    });
    expect((await submit('a-3')).body).toMatchObject({ verdict: 'applied', rule: 'started' });
    await until(async () => (await orders.get('/orders/a-3')).body['state'] === 'AwaitingShipment');
  });

  it('waits with its acceptance for the last item', async () => {
    await submit('a-4');
    expect(await accept('a-4', 2)).toMatchObject({
      status: 202,
      body: { verdict: 'early', rule: 'guard-not-met' },
    });
    expect((await addItem('a-4', 1)).body).toMatchObject({ verdict: 'applied', state: 'Submitted' });
    expect((await addItem('a-4', 0)).body).toMatchObject({ verdict: 'applied', state: 'Accepted' });
  });

  it('takes what is said twice as said once', async () => {
    await submit('a-5');
    await addItem('a-5', 0);
    const again = [await submit('a-5'), await addItem('a-5', 0)];
    expect(again.map(({ status, body }) => [status, body['verdict'], body['rule']])).toEqual([
      [202, 'duplicate', 'start-seen'],
      [202, 'duplicate', 'item-seen'],
    ]);
  });

  it('answers what comes late, but was there before, with 202', async () => {
    await released('a-6', 1);
    const again = [await addItem('a-6', 0), await accept('a-6', 1)];
    expect(again.map(({ status }) => status)).toEqual([202, 202]);
  });

  it('refuses an item that is new after the acceptance with 409', async () => {
    await released('a-7', 1);
    const late = await addItem('a-7', 1);
    expect(late.status).toBe(409);
    expect(late.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(late.body).toMatchObject({
      status: 409,
      title: 'Conflict',
      orderId: 'a-7',
      state: 'AwaitingShipment',
    });
    expect(late.body['verdict']).toMatch(/^(late|rejected)$/);
  });

  it('refuses other content under one index, and another customer, with 409', async () => {
    await submit('a-8');
    await addItem('a-8', 0);
    const conflicts = [await addItem('a-8', 0, { ...chai, quantity: 11 }), await submit('a-8', 'ANATR')];
    for (const { status, body } of conflicts) {
      expect([status, body['verdict'], body['rule']]).toEqual([409, 'rejected', 'conflicting-content']);
    }
    expect((await orders.get('/orders/a-8')).body).toMatchObject({
      customer: 'ALFKI',
      items: [chai],
      attention: expect.any(String) as string,
    });
  });

  it('is accepted once by many at the same moment', async () => {
    await submit('a-9');
    await addItem('a-9', 0);
    const answers = await Promise.all(Array.from({ length: 12 }, async () => accept('a-9', 1)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(answers.filter(({ body }) => body['verdict'] === 'applied')).toHaveLength(1);
    await until(async () => (await orders.get('/orders/a-9')).body['state'] === 'AwaitingShipment');
    expect(await orders.rows("select 1 from orders.reservation where order_id = 'a-9'")).toHaveLength(1);
  });

  it('gets its id from the idempotency key if it has none', async () => {
    const first = await orders.post('/orders', { customer: 'ALFKI' }, { key: 'nameless' });
    expect(first).toMatchObject({ status: 202, body: { verdict: 'applied' } });
    await orders.rows("delete from pawl.request where key = 'nameless'");
    const again = await orders.post('/orders', { customer: 'ALFKI' }, { key: 'nameless' });
    expect(again.body).toMatchObject({ orderId: first.body['orderId'], verdict: 'duplicate' });
  });

  it('is unknown until somebody has named it', async () => {
    expect(await orders.get('/orders/nobody')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
