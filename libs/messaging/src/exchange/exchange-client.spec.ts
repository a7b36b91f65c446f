import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExchangeClient } from './exchange-client.js';
import { newRequestId } from './request-id.js';
import { requestType } from './request-type.js';

const quote = requestType<{ sku: string }, { cents: number }>({
  name: 'shop.quote',
  schema: { type: 'object', required: ['sku'], properties: { sku: { type: 'string', minLength: 1 } } },
});
const answered = { id: 'x', type: 'shop.quote', state: 'answered', keptUntil: '', answer: { cents: 1250 } };
const stored = { ...answered, state: 'stored', answer: undefined };

type Reply = (response: ServerResponse, request: IncomingMessage) => void;
const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
const reset: Reply = (response) => void response.destroy();
const hang: Reply = () => undefined;

let server: Server;
let url: string;
let script: Reply[];
let calls: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    calls.push(request.method ?? '');
    // The last one holds from then on.
    const next = script.length > 1 ? script.shift() : script[0];
    request.resume().once('end', () => next?.(response, request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/requests/`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});
beforeEach(() => (calls = []));

const client = new ExchangeClient({ tryTimeoutMs: 300, triesMax: 6, pauseMs: 1, pauseMaxMs: 5 });

async function ask(replies: Reply[], signal?: AbortSignal): Promise<{ cents: number }> {
  script = replies;
  return client.request(url, { id: newRequestId(), type: quote, body: { sku: 'chai' }, signal });
}

describe('a request by the exchange', () => {
  it('is put, then posted', async () => {
    expect(await ask([reply(201, stored), reply(200, answered)])).toEqual({ cents: 1250 });
    expect(calls).toEqual(['PUT', 'POST']);
  });

  it('is not posted again if it was answered before', async () => {
    expect(await ask([reply(200, answered)])).toEqual({ cents: 1250 });
    expect(calls).toEqual(['PUT']);
  });

  it.each<[string, Reply]>([
    ['a connection that is reset', reset],
    ['a server that does not answer', hang],
    ['an answer that never ends', (response) => void response.writeHead(200).write('{')],
    ['a server that is busy', reply(503, { code: 'busy' }, { 'retry-after': '1' })],
    ['a twin at work', reply(409, { code: 'request_in_progress' })],
    ['a page of somebody in between', reply(200, '<html>')],
    ['another page of somebody in between', reply(410, '<html>')],
    ['a redirect', reply(302, '', { location: '/elsewhere' })],
    ['an answer that is too large', reply(200, { ...answered, answer: 'x'.repeat(300_000) })],
    ['a release that does not know the type yet', reply(422, { code: 'request_type_unknown' })],
  ])('is repeated after %s', async (_, trouble) => {
    expect(await ask([trouble, reply(201, stored), trouble, reply(200, answered)])).toEqual({ cents: 1250 });
    expect(calls).toEqual(['PUT', 'PUT', 'POST', 'POST']);
  });

  it('is put again if the other side has lost it', async () => {
    const lost = reply(404, { code: 'exchange_not_found' });
    expect(await ask([reply(201, stored), lost, reply(201, stored), reply(200, answered)])).toEqual({
      cents: 1250,
    });
    expect(calls).toEqual(['PUT', 'POST', 'PUT', 'POST']);
  });

  it.each<[string, Reply, string]>([
    [
      'refused',
      reply(200, { ...stored, state: 'refused', refusal: { code: 'sold_out', detail: '' } }),
      'exchange_refused',
    ],
    ['gone', reply(410, { code: 'exchange_id_expired' }), 'exchange_gone'],
    ['another one', reply(422, { code: 'exchange_body_differs' }), 'exchange_invalid'],
    ['too large', reply(413, '<html>'), 'exchange_invalid'],
  ])('is not repeated when it is %s', async (_, final, code) => {
    await expect(ask([final])).rejects.toMatchObject({ code });
    expect(calls).toEqual(['PUT']);
  });

  it('is given up after so many tries, and nobody says that it did not happen', async () => {
    await expect(ask([reset])).rejects.toMatchObject({ code: 'exchange_unanswered', details: { tries: 6 } });
    const forgetful = reply(404, { code: 'exchange_not_found' });
    await expect(ask([forgetful])).rejects.toMatchObject({ code: 'exchange_unanswered' });
    expect(calls).toHaveLength(12);
  });

  it.each<[string, Reply]>([
    ['a call', hang],
    ['a pause', reply(503, '')],
  ])('ends with its signal during %s', async (_, trouble) => {
    const controller = new AbortController();
    const reason = new Error('the lease is lost');
    const patient = new ExchangeClient({ tryTimeoutMs: 60_000, pauseMs: 60_000, pauseMaxMs: 60_000 });
    script = [
      (response, request) => {
        trouble(response, request);
        setImmediate(() => controller.abort(reason));
      },
    ];
    const { signal } = controller;
    const asked = patient.request(url, { id: newRequestId(), type: quote, body: { sku: 'chai' }, signal });
    await expect(asked).rejects.toBe(reason);
  });

  it('is not even sent if its body does not fit', async () => {
    script = [hang];
    const wanted = { id: newRequestId(), type: quote, body: { sku: '' } };
    await expect(client.request(url, wanted)).rejects.toMatchObject({ code: 'exchange_invalid' });
    expect(calls).toEqual([]);
  });

  it('is forgotten, and it does not matter if that was so before', async () => {
    script = [reply(204, ''), reply(410, { code: 'exchange_id_expired' })];
    await client.forget(url, newRequestId());
    await client.forget(url, newRequestId());
    script = [reset];
    await expect(client.forget(url, newRequestId())).rejects.toMatchObject({ details: { tries: 2 } });
  });
});

it.each([
  [{ name: 'Shop Quote' }, 'not like'],
  [{ name: 'shop.quote', schema: { type: 'nothing' } }, 'does not compile'],
])('a request type is refused: %j', (options, why) => {
  expect(() => requestType(options)).toThrow(why);
});
