import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Wanted } from './provider.js';

/** What goes wrong with a request. */
export type Trouble = 'refused' | 'busy' | 'request lost' | 'answer lost';

/** A request that was held, until it is let go on. */
export interface Held {
  readonly arrived: Promise<void>;
  goOn(): void;
}

/** How a request is known here: `PUT cars T-1`. */
type Name = `${'PUT' | 'GET' | 'DELETE'} ${string} ${string}`;

/**
 * Providers on a real port, each with a store of its own. They do what is asked once per key and tell `note` when it takes effect, as a bank's
 * own books would; and they are as unreliable as a test wants them.
 */
export class FakeProviders {
  private readonly stores = new Map<string, Map<string, Wanted | 'spent'>>();
  private readonly troubles = new Map<Name, Trouble[]>();
  private readonly held = new Map<Name, { arrive(): void; free: Promise<void> }>();
  private readonly requests: Name[] = [];
  /** The trip that a key was first used for, whether anything came of it or not. */
  private readonly trips = new Map<string, string>();
  private readonly server: Server;

  private constructor(private readonly note: (effect: string) => void) {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  static async start(note: (effect: string) => void): Promise<FakeProviders> {
    const providers = new FakeProviders(note);
    await new Promise<void>((resolve) => providers.server.listen(0, '127.0.0.1', resolve));
    return providers;
  }

  url(provider: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${provider}`;
  }

  /** The next requests of this name meet these troubles, one each. */
  trouble(name: Name, ...troubles: readonly Trouble[]): void {
    this.troubles.set(name, [...troubles]);
  }

  /** The next request of this name waits until it may go on. */
  hold(name: Name): Held {
    const [arrived, arrive] = signal();
    const [free, goOn] = signal();
    this.held.set(name, { arrive, free });
    return { arrived, goOn };
  }

  /** The methods that a provider was asked with about a trip, in their order. */
  asked(provider: string, trip: string): string[] {
    return this.requests
      .filter((name) => name.endsWith(` ${provider} ${trip}`))
      .map((name) => name.replace(/ .*/, ''));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider, key, method } = addressOf(request);
    const store = this.storeOf(provider);
    const known = store.get(key);
    const wanted = method === 'PUT' ? (JSON.parse(await text(request)) as Wanted) : known;
    if (typeof wanted === 'object') this.trips.set(key, wanted.trip);
    const name: Name = `${method} ${provider} ${this.trips.get(key) ?? key}`;
    this.requests.push(name);
    await this.passes(name);
    const trouble = this.troubles.get(name)?.shift();
    if (trouble === 'request lost') return;
    if (trouble === 'busy') return end(response, 503, `${provider} are closed`);
    if (trouble === 'refused') return end(response, 422, `no ${provider} left`);
    const [code, body] = this.do(name, store, key, wanted);
    if (trouble !== 'answer lost') end(response, code, body);
  }

  private do(
    name: Name,
    store: Map<string, Wanted | 'spent'>,
    key: string,
    wanted: Wanted | 'spent' | undefined,
  ): [code: number, body: string] {
    const known = store.get(key);
    const reference = JSON.stringify({ reference: `no. ${key}` });
    if (name.startsWith('GET')) return typeof known === 'object' ? [200, reference] : [404, 'unknown'];
    if (name.startsWith('DELETE')) {
      store.set(key, 'spent');
      if (typeof known === 'object') this.note(name);
      return [204, ''];
    }
    if (known === 'spent') return [422, 'given back'];
    if (known === undefined && typeof wanted === 'object') {
      store.set(key, wanted);
      this.note(name);
    }
    return [200, reference];
  }

  private async passes(name: Name): Promise<void> {
    const held = this.held.get(name);
    this.held.delete(name);
    held?.arrive();
    await held?.free;
  }

  private storeOf(provider: string): Map<string, Wanted | 'spent'> {
    const store = this.stores.get(provider) ?? new Map<string, Wanted | 'spent'>();
    this.stores.set(provider, store);
    return store;
  }
}

function addressOf({ url = '', method }: IncomingMessage) {
  const [, provider = '', key = ''] = url.split('/').map(decodeURIComponent);
  return { provider, key, method: method as 'PUT' | 'GET' | 'DELETE' };
}

function signal(): [given: Promise<void>, give: () => void] {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return [given, give];
}

function end(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code).end(body);
}
