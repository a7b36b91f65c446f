import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chaoticPlan, orderlyPlan } from './client-plan.js';
import { OrdersClient } from './client.js';
import { ordersFromSeed } from './orders-from-seed.js';
import { Random } from './random.js';

const orders = ordersFromSeed(new Random('client'), 3);

let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(202, { 'content-type': 'application/json' }).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => server.close());

function newClient(): OrdersClient {
  const { port } = server.address() as AddressInfo;
  const url = (): string => `http://127.0.0.1:${port}`;
  return new OrdersClient({ url, random: new Random('back-off'), signal: new AbortController().signal });
}

it.each([1, 3])('counts requests that it sends before their order, of %d orders', async (count) => {
  const client = newClient();
  await client.send(chaoticPlan(new Random('plan'), orders.slice(0, count)));
  expect(client.early).toBeGreaterThan(0);
});

it('counts none when each order goes first', async () => {
  const client = newClient();
  await client.send(orderlyPlan(orders), { lanes: 1 });
  expect([client.early, client.done]).toEqual([0, orderlyPlan(orders).length]);
});

it('counts each repetition of a request that goes out too early, and none that goes out later', async () => {
  const client = newClient();
  const wish = { orderId: 'a', path: '/orders/a/accept', key: 'k', body: {}, times: 3, atOnce: true };
  await client.send([wish]);
  await client.send([{ ...wish, path: '/orders', key: 'o' }, wish], { lanes: 1 });
  expect(client.early).toBe(3);
});
