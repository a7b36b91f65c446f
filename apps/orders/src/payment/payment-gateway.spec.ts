import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PaymentGateway } from './payment-gateway.js';

let server: Server;
let gateway: PaymentGateway;
let answer: { status: number; body: string };
let asked: { path: string | undefined; headers: IncomingHttpHeaders; body: string } | undefined;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked = { path: request.url, headers: request.headers, body };
      if (answer.status > 0) response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = new PaymentGateway(url);
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const charge = (signal = new AbortController().signal) =>
  gateway.charge({ orderId: 'o-1', amountCents: 4_400 }, { idempotencyKey: 'run.charge', signal });

describe('a charge', () => {
  it('carries its amount and its idempotency key', async () => {
    answer = { status: 200, body: '{"chargeId":"c-1"}' };
    expect(await charge()).toEqual({ chargeId: 'c-1' });
    expect(asked?.headers['idempotency-key']).toBe('run.charge');
    expect(JSON.parse(asked?.body ?? '')).toEqual({ orderId: 'o-1', amountCents: 4_400 });
  });

  it.each([
    ['', '/charges'],
    ['/', '/charges'],
    ['/v1', '/v1/charges'],
    ['/v1//', '/v1/charges'],
    ['/v1?tenant=a', '/v1/charges?tenant=a'],
  ])('of a gateway at %j goes to %s', async (suffix, path) => {
    answer = { status: 200, body: '{"chargeId":"c-1"}' };
    const { signal } = new AbortController();
    const charging = { orderId: 'o-1', amountCents: 4_400 };
    await new PaymentGateway(`${url}${suffix}`).charge(charging, { idempotencyKey: 'run.charge', signal });
    expect(asked?.path).toBe(path);
  });

  it.each([400, 402, 404, 422])('is refused for good by %d', async (status) => {
    answer = { status, body: '' };
    await expect(charge()).rejects.toMatchObject({ code: 'permanent_error', details: { status } });
  });

  it.each([409, 429, 500, 503])('may be tried again after %d', async (status) => {
    answer = { status, body: '' };
    await expect(charge()).rejects.toMatchObject({ code: 'payment_failed', details: { status } });
  });

  it.each(['', 'null', '{}', '<html>'])('is in doubt after the answer %j', async (body) => {
    answer = { status: 200, body };
    await expect(charge()).rejects.toMatchObject({ code: 'payment_failed' });
  });

  it('ends when its signal does', async () => {
    answer = { status: 0, body: '' };
    const aborting = new AbortController();
    const charging = charge(aborting.signal);
    aborting.abort();
    await expect(charging).rejects.toMatchObject({ name: 'AbortError' });
  });
});
