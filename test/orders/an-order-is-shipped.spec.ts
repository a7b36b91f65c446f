import {
  type ForkedService,
  forkService,
  testDatabase,
  type TestDatabase,
  testKeysText,
  until,
} from '@pawl/testing';
import pg from 'pg';
import { OrdersService } from './orders-service.js';

describe('an order between the two services', () => {
  let orders: OrdersService;
  let shipping: ForkedService;
  let shippingUrl: string;
  let database: TestDatabase;

  beforeAll(async () => {
    orders = await OrdersService.start();
    database = await testDatabase();
    shipping = forkService('apps/shipping/src/main.ts', {
      env: {
        NODE_ENV: 'test',
        PORT: '0',
        DATABASE_URL: database.url,
        QUEUE_URL: orders.busUrl,
        BUS_URL: orders.busUrl,
        PAWL_MESSAGE_KEYS: testKeysText,
      },
    });
    const { port } = await shipping.ready<{ port: number }>();
    shippingUrl = `http://127.0.0.1:${port}`;
  });

  afterAll(async () => {
    shipping?.kill('SIGTERM');
    await shipping?.exited;
    await orders?.stop();
    await database?.drop();
  });

  it('is packed and shipped once, and orders hears of it', async () => {
    await orders.post('/orders/s-1/accept', { itemCount: 2 });
    for (const index of [1, 0]) {
      await orders.post('/orders/s-1/items', {
        index,
        product: `p-${index}`,
        quantity: index + 1,
        unitPriceCents: 100,
      });
    }
    await orders.post('/orders', { orderId: 's-1', customer: 'ALFKI' });
    const shipped = await until(async () => {
      const { body } = await orders.get('/orders/s-1');
      return body['state'] === 'Shipped' ? body : undefined;
    });
    expect(shipped).toMatchObject({
      status: 'completed',
      trackingNumber: expect.stringMatching(/^PAWL-/) as string,
    });
    const shipment: unknown = await (await fetch(`${shippingUrl}/shipments/s-1`)).json();
    expect(shipment).toMatchObject({
      orderId: 's-1',
      state: 'Shipped',
      trackingNumber: shipped['trackingNumber'],
      items: [
        { index: 0, product: 'p-0', quantity: 1 },
        { index: 1, product: 'p-1', quantity: 2 },
      ],
    });
    expect(await parcels()).toEqual([
      { item_index: 0, quantity: 1 },
      { item_index: 1, quantity: 2 },
    ]);
  });

  it.each([
    ['nobody', 404],
    ['%20', 400],
  ])('is not found by the name %s', async (name, status) => {
    expect((await fetch(`${shippingUrl}/shipments/${name}`)).status).toBe(status);
  });

  async function parcels(): Promise<unknown[]> {
    const client = new pg.Client(database.url);
    await client.connect();
    const { rows } = await client.query<object>(
      'select item_index, quantity from shipping.parcel order by 1',
    );
    await client.end();
    return rows;
  }
});
