import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { StepContext } from '@pawl/workflow';
import type { Errand, Outside } from './errand.js';

/** A call as it came over the wire. */
export interface EffectCall {
  readonly key: string;
  readonly idempotencyKey: string;
}

/** Before a call is answered: it may wait, or throw to answer 500. */
export type Behaviour = (call: EffectCall) => Promise<void>;

/** Counts effects from outside: the engine does not grade itself. One HTTP server in the test's process. */
export class EffectLedger {
  readonly calls: EffectCall[] = [];
  behave: Behaviour = async () => undefined;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<EffectLedger> {
    const server = createServer();
    const ledger = new EffectLedger(server);
    server.on('request', (request, response) => void ledger.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return ledger;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  callsOf(key: string): EffectCall[] {
    return this.calls.filter((call) => call.key === key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = (await json(request)) as EffectCall;
    this.calls.push(call);
    const status = await this.behave(call).then(
      () => 200,
      () => 500,
    );
    response.writeHead(status).end(JSON.stringify({ receipt: `receipt of ${call.idempotencyKey}` }));
  }
}

/** What the steps of a worker call. It does not listen to the signal: a call that was sent can not be taken back. */
export function ledgerAt(url: string): Outside {
  return {
    pay: async ({ key, idempotencyKey }: StepContext<Errand>) => {
      const body = JSON.stringify({ key, idempotencyKey } satisfies EffectCall);
      const response = await fetch(url, { method: 'POST', body });
      if (!response.ok) throw new Error(`The ledger answers ${response.status}.`);
      return ((await response.json()) as { receipt: string }).receipt;
    },
  };
}
