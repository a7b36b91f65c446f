import { until } from '@pawl/testing';
import { ADMIN_TOKEN, OrdersService } from './orders-service.js';

describe('an operator who controls orders', () => {
  let orders: OrdersService;

  beforeAll(async () => {
    orders = await OrdersService.start();
    for (const id of ['o-1', 'o-2']) await orders.post('/orders', { orderId: id, customer: 'ALFKI' });
  });

  afterAll(async () => orders?.stop());

  const authorization = `Bearer ${ADMIN_TOKEN}`;
  const find = async (key: string) => {
    const { body } = await orders.get(`/admin/v1/runs?key=${key}`, { authorization });
    const [run] = body['runs'] as { id: string }[];
    return (await orders.get(`/admin/v1/runs/${run?.id}`, { authorization })).body;
  };
  const order = async (
    id: unknown,
    action: string,
    body: object,
    headers: Record<string, string> = { authorization },
  ) => orders.post(`/admin/v1/runs/${String(id)}/${action}`, body, { key: null, headers });
  const ann = { actor: 'ann', reason: 'the customer called' };

  it('pauses and resumes one, and sees both in its story', async () => {
    const { id } = await find('o-1');
    const paused = await order(id, 'pause', ann);
    expect(paused).toMatchObject({
      status: 200,
      body: { runId: id, status: 'paused', state: 'Submitted', changed: true },
    });
    expect(await order(id, 'pause', ann)).toMatchObject({ status: 200, body: { changed: false } });
    expect(await find('o-1')).toMatchObject({ status: 'paused', pausedAt: expect.any(String) as string });
    expect(await order(id, 'resume', { reason: 'go on' })).toMatchObject({ body: { status: 'waiting' } });
    const { actions, timeline, pausedAt } = await find('o-1');
    expect(pausedAt).toBeNull();
    expect(actions).toMatchObject([
      { action: 'pause', actor: 'ann', outcome: 'done' },
      { action: 'pause', outcome: 'done', detail: { changed: false } },
      { action: 'resume', actor: 'admin token' },
    ]);
    expect(
      (timeline as { kind: string; name: string }[]).filter(({ kind }) => kind === 'control'),
    ).toMatchObject([
      { name: 'pause', detail: 'ann: the customer called' },
      { name: 'resume', detail: 'admin token: go on' },
    ]);
  });

  it('cancels one, and is refused where that can not be, with a code and a reason', async () => {
    const { id } = await find('o-2');
    expect(await order(id, 'cancel', ann)).toMatchObject({ status: 200, body: { changed: true } });
    await until(async () => (await find('o-2'))['status'] === 'cancelled');
    const refused = await order(id, 'redrive', { ...ann, step: 'charge', data: { customer: 'B' } });
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'ended', detail: 'The run has ended, it is cancelled.' },
    });
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('forks one from its start', async () => {
    const { id } = await find('o-1');
    const forked = await order(id, 'fork', { ...ann, key: 'o-1-again', revision: 1 });
    expect(forked).toMatchObject({
      status: 200,
      body: { status: 'waiting', state: 'Submitted', changed: true },
    });
    expect(await find('o-1-again')).toMatchObject({ forkedFrom: id, data: { customer: 'ALFKI' } });
    const taken = await order(id, 'fork', { ...ann, key: 'o-2', revision: 1 });
    expect(taken).toMatchObject({ status: 409, body: { code: 'key_taken' } });
  });

  it.each([
    ['pause', {}],
    ['pause', { actor: 'ann' }],
    ['pause', { ...ann, step: 'charge' }],
    ['cancel', { ...ann, id: '7' }],
    ['redrive', { ...ann, data: 'x' }],
    ['redrive', { ...ann, assume: 'perhaps' }],
    ['skip', { ...ann, actor: '' }],
    ['fork', { ...ann, key: 'k' }],
  ])('is told what is wrong with %s %j', async (action, body) => {
    expect((await order('0190c0de-0000-7000-8000-000000000000', action, body)).status).toBe(400);
  });

  it('is told when there is no such run, and is not let in without the token', async () => {
    const nobody = '0190c0de-0000-7000-8000-000000000000';
    expect(await order(nobody, 'cancel', ann)).toMatchObject({
      status: 404,
      body: { code: 'run_not_found' },
    });
    expect((await order('1', 'cancel', ann)).status).toBe(400);
    expect((await order(nobody, 'cancel', ann, {})).status).toBe(401);
  });
});
