// The payment gateway of the demo, a process of its own: node gateway.js LEDGER-FILE. Its plan of misbehaviour comes by IPC.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayLedger } from './gateway-ledger.js';
import type { Charge } from './gateway-ledger.js';
import type { Behaviour, GatewayPlan } from './gateway-plan.js';

export interface GatewayOrder {
  readonly plan: GatewayPlan;
}

const LATE_MS = 1500;

const ledger = new GatewayLedger(process.argv[2] ?? 'gateway-calls.jsonl');
const calls = new Map<string, number>();
let plan: GatewayPlan = {};

process.on('message', (order: GatewayOrder) => (plan = order.plan));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => answer(response, 400, { error: String(error) }));
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ ready: true, port: (server.address() as AddressInfo).port });
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, name, segment] = new URL(request.url ?? '', 'http://gateway').pathname.split('/');
  if (name !== 'charges') return answer(response, 404, { error: 'there are only /charges' });
  if (request.method === 'GET') {
    const known = ledger.find(decodeURIComponent(segment ?? ''));
    return known
      ? answer(response, 200, asJson(known))
      : answer(response, 404, { error: 'no charge for this key' });
  }
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return answer(response, 400, { error: 'Idempotency-Key is missing' });
  const { orderId, amountCents } = (await json(request)) as { orderId: string; amountCents: number };
  if (typeof orderId !== 'string' || !Number.isSafeInteger(amountCents)) {
    return answer(response, 400, { error: 'orderId and amountCents are needed' });
  }
  await charge(key, { order: orderId, cents: amountCents }, response);
}

async function charge(key: string, wanted: Omit<Charge, 'id'>, response: ServerResponse): Promise<void> {
  const behaviour = nextBehaviour(wanted.order);
  if (behaviour === 'fail') {
    ledger.failed(key, wanted);
    return answer(response, 503, { error: 'out of order for the moment' });
  }
  const made = ledger.charge(key, wanted, behaviour ?? 'at once');
  if (behaviour === 'hang') return;
  if (behaviour === 'late') await pause(LATE_MS);
  if (!made) return answer(response, 422, { error: 'this key named another charge' });
  answer(response, 201, asJson(made));
}

function nextBehaviour(order: string): Behaviour | undefined {
  const call = calls.get(order) ?? 0;
  calls.set(order, call + 1);
  return plan[order]?.[call];
}

function asJson({ id, order, cents }: Charge): object {
  return { chargeId: id, orderId: order, amountCents: cents };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
