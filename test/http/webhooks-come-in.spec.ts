import 'reflect-metadata';
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Injectable, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type Json, Transactions } from '@pawl/core';
import {
  InMemoryBus,
  InMemoryTransport,
  MessagingModule,
  standardWebhooks,
  Webhook,
  type WebhookContext,
  type WebhookDelivery,
  WebhookModule,
  type WebhookOptions,
  WebhookPruner,
  WebhookSignatureInvalidError,
} from '@pawl/messaging';
import { testDatabase, type TestDatabase } from '@pawl/testing';
import { DataSource } from 'typeorm';

const [oldSecret, newSecret, stranger] = [1, 2, 3].map(
  () => `whsec_${randomBytes(32).toString('base64')}`,
) as [string, string, string];
const MINUTE_S = 60;

interface Sent {
  readonly id: string;
  readonly body?: string;
  readonly secret?: string;
  /** Seconds from now. */
  readonly at?: number;
}

const PAID = '{"type":"payment.settled","data":{"cents":1250}}';

/** The headers of a source that signs by the standard, made here by hand: the code under test does not grade itself. */
function signed({ id, body = PAID, secret = newSecret, at = 0 }: Sent): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000) + at);
  const key = createSecretKey(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** As other providers do: no time, and an id that is in the body. */
function verifyHub({ headers, bytes }: WebhookDelivery): string {
  const right = createHmac('sha256', 'hub').update(bytes).digest();
  const given = Buffer.from(String(headers['x-hub-signature']), 'hex');
  if (given.length !== right.length || !timingSafeEqual(given, right))
    throw new WebhookSignatureInvalidError();
  return String((JSON.parse(bytes.toString()) as { delivery: unknown }).delivery);
}

@Injectable()
class Payments {
  failures = 0;

  @Webhook('payments')
  async settled(payload: Json, { id, source, manager }: WebhookContext): Promise<void> {
    await manager.query('insert into settled values ($1, $2, $3)', [source, id, JSON.stringify(payload)]);
    if (this.failures-- > 0) throw new Error('secret: no ledger');
  }

  @Webhook('hub')
  async pushed(payload: Json, context: WebhookContext): Promise<void> {
    return this.settled(payload, context);
  }

  @Webhook('flood')
  ignored(): void {}
}

describe('Webhooks come in', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let app: INestApplication;
  let url: string;

  const sources: WebhookOptions['sources'] = {
    payments: {
      verifier: standardWebhooks({ secrets: [oldSecret, newSecret] }),
      retention: '7d',
      rate: { perSecond: 1_000 },
    },
    hub: { verifier: { verify: verifyHub }, retention: '1h' },
    flood: { verifier: { verify: () => 'x' }, retention: '1h', rate: { perSecond: 1, burst: 2 } },
  };

  function moduleOf(options: WebhookOptions): Type {
    const transport = new InMemoryTransport(new InMemoryBus());
    @Module({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: database.url, installExtensions: false }),
        MessagingModule.forRoot({ service: 'payments', transport, consume: false, unsigned: true }),
        WebhookModule.forRoot(options),
      ],
      providers: [Payments],
    })
    class PaymentsModule {}
    return PaymentsModule;
  }
  const open = async (options: WebhookOptions): Promise<INestApplication> =>
    NestFactory.create(moduleOf(options), { logger: false, abortOnError: false });

  beforeAll(async () => {
    database = await testDatabase();
    dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await dataSource.query('create table settled (source text, id text, payload json)');
    app = await open({ sources, bodyBytesMax: 10_000 });
    app.setGlobalPrefix('api');
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    url = `http://127.0.0.1:${port}/api/webhooks`;
  });
  afterAll(async () => {
    await app?.close();
    await dataSource?.destroy();
    await database?.drop();
  });

  async function send(
    headers: Record<string, string>,
    { body = PAID, to = 'payments', type = 'application/json' } = {},
  ) {
    const response = await fetch(`${url}/${to}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...headers },
    });
    const text = await response.text();
    const replayed = response.headers.get('idempotency-replayed') === 'true';
    const { code } = (text ? JSON.parse(text) : {}) as { code?: string };
    return { status: response.status, code, replayed, text, headers: response.headers };
  }
  const effects = async (id: string): Promise<number> =>
    (await dataSource.query<unknown[]>('select 1 from settled where id = $1', [id])).length;
  const kept = async (id: string): Promise<number> =>
    (await dataSource.query<unknown[]>('select 1 from pawl.webhook where id = $1', [id])).length;

  it.each([
    ['the new secret', newSecret],
    ['the old one, while they are rotated', oldSecret],
  ])('signed with %s: once each, also if it comes again', async (_, secret) => {
    const id = `msg_${secret.slice(6, 12)}`;
    expect(await send(signed({ id, secret }))).toMatchObject({ status: 204, replayed: false });
    expect(await send(signed({ id, secret, at: 2 }))).toMatchObject({ status: 204, replayed: true });
    expect(await dataSource.query('select source, payload from settled where id = $1', [id])).toEqual([
      { source: 'payments', payload: JSON.parse(PAID) as unknown },
    ]);
  });

  it('signed twice, as sources do while they rotate', async () => {
    const [strange, ours] = [signed({ id: 'two', secret: stranger }), signed({ id: 'two' })];
    const both = `${strange['webhook-signature']} v1a,ignored ${ours['webhook-signature']}`;
    expect((await send({ ...ours, 'webhook-signature': both })).status).toBe(204);
  });

  it.each([
    [
      'with an altered body',
      signed({ id: 'a' }),
      PAID.replace('1250', '9250'),
      401,
      'webhook_signature_invalid',
    ],
    [
      'with another id',
      { ...signed({ id: 'a' }), 'webhook-id': 'b' },
      PAID,
      401,
      'webhook_signature_invalid',
    ],
    [
      'signed with a secret that is not ours',
      signed({ id: 'a', secret: stranger }),
      PAID,
      401,
      'webhook_signature_invalid',
    ],
    [
      'signed with nothing',
      { ...signed({ id: 'a' }), 'webhook-signature': 'v1,' },
      PAID,
      401,
      'webhook_signature_invalid',
    ],
    ['signed too long ago', signed({ id: 'a', at: -6 * MINUTE_S }), PAID, 401, 'webhook_timestamp_outside'],
    ['signed for the future', signed({ id: 'a', at: 6 * MINUTE_S }), PAID, 401, 'webhook_timestamp_outside'],
    [
      'with another time than was signed',
      { ...signed({ id: 'a' }), 'webhook-timestamp': '1' },
      PAID,
      401,
      'webhook_signature_invalid',
    ],
    ['unsigned', {}, PAID, 400, 'webhook_headers_invalid'],
    ['with a dot in its id', signed({ id: 'a.b' }), PAID, 400, 'webhook_headers_invalid'],
    ['as no JSON, unsigned: it is not even read', signed({ id: 'a' }), '{', 401, 'webhook_signature_invalid'],
    ['as no JSON, signed', signed({ id: 'a', body: '{' }), '{', 400, 'bad_request'],
    [
      'with a body that is compressed',
      { ...signed({ id: 'a' }), 'content-encoding': 'gzip' },
      PAID,
      415,
      'unsupported_media_type',
    ],
    [
      'with what can not be stored',
      signed({ id: 'a', body: '"\\u0000"' }),
      '"\\u0000"',
      400,
      'webhook_payload_invalid',
    ],
    ['with a body that is too large', signed({ id: 'a' }), 'x'.repeat(10_001), 413, 'payload_too_large'],
  ])('%s: refused, and nothing is kept', async (_, headers, body, status, code) => {
    const refused = await send(headers as Record<string, string>, { body });
    expect(refused).toMatchObject({ status, code });
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect([await effects('a'), await kept('a')]).toEqual([0, 0]);
  });

  it('many times at once: one effect', async () => {
    const headers = signed({ id: 'many' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(headers)));
    expect(answers.filter(({ status, replayed }) => status === 204 && !replayed)).toHaveLength(1);
    expect(await effects('many')).toBe(1);
  });

  it('and the effect fails: 5xx, the id is not used up, and what comes again is tried again', async () => {
    app.get(Payments).failures = 1;
    const failed = await send(signed({ id: 'fails' }));
    expect([failed.status, failed.text.includes('secret')]).toEqual([500, false]);
    expect([await effects('fails'), await kept('fails')]).toEqual([0, 0]);
    expect(await send(signed({ id: 'fails' }))).toMatchObject({ status: 204, replayed: false });
    expect(await effects('fails')).toBe(1);
  });

  it('of a provider with a way of its own, in any type of content', async () => {
    const body = '{"delivery":"hub-1"}';
    const headers = { 'x-hub-signature': createHmac('sha256', 'hub').update(body).digest('hex') };
    const hub = { body, to: 'hub', type: 'application/x-hub' };
    expect((await send(headers, hub)).status).toBe(204);
    expect(await send(headers, hub)).toMatchObject({ status: 204, replayed: true });
    expect((await send({ 'x-hub-signature': '00' }, hub)).status).toBe(401);
    expect(await effects('hub-1')).toBe(1);
  });

  it('after the retention: a copy is refused by its time, what the source signs again is new', async () => {
    const old = signed({ id: 'kept', at: -4 * MINUTE_S });
    await send(old);
    await dataSource.query(`update pawl.webhook set expires_at = now() where id = 'kept'`);
    const pruner = new WebhookPruner(new Transactions(dataSource), { batchMax: 1 });
    expect([await pruner.pass(), await pruner.pass()]).toEqual([1, 0]);
    expect(await kept('two')).toBe(1);
    expect((await send(signed({ id: 'kept', at: -6 * MINUTE_S }))).code).toBe('webhook_timestamp_outside');
    expect(await send(signed({ id: 'kept' }))).toMatchObject({ status: 204, replayed: false });
    expect(await effects('kept')).toBe(2);
  });

  it('of a source that nobody knows: 404; faster than allowed: 429', async () => {
    expect(await send(signed({ id: 'a' }), { to: 'nobody' })).toMatchObject({
      status: 404,
      code: 'webhook_source_unknown',
    });
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await send({}, { to: 'flood' }));
    expect(answers.filter(({ status }) => status === 204).length).toBeGreaterThanOrEqual(2);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
  });

  it('in an application that a testing module has made', async () => {
    const compiled = await Test.createTestingModule({ imports: [moduleOf({ sources })] }).compile();
    const tested = compiled.createNestApplication({ logger: false });
    await tested.listen(0, '127.0.0.1');
    const { port } = (tested.getHttpServer() as { address(): AddressInfo }).address();
    const address = `http://127.0.0.1:${port}/webhooks/payments`;
    const headers = { 'content-type': 'application/json', ...signed({ id: 'tested' }) };
    const { status } = await fetch(address, { method: 'POST', body: PAID, headers });
    await tested.close();
    expect([status, await effects('tested')]).toEqual([204, 1]);
  });

  it('to nobody, or not long enough remembered: the application does not boot, and all is said at once', async () => {
    const { payments, hub } = sources;
    const broken = await open({
      sources: { payments: { ...payments!, retention: '10m' }, hub: hub!, unheard: hub! },
    });
    const problems = broken.init();
    await expect(problems).rejects.toMatchObject({
      problems: expect.arrayContaining([
        expect.stringContaining('retention is less than three times'),
        expect.stringContaining('unheard has no handler'),
        expect.stringContaining('Payments.ignored handles the undeclared source flood'),
      ]) as string[],
    });
    await broken.close();
    expect(() => standardWebhooks({ secrets: ['whsec_c2hvcnQ='] })).toThrow('24 to 64 bytes');
  });
});
