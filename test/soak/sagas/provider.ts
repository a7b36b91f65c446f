import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Dice } from '../../crash/dice.js';
import { type Entry, type Wanted, ProviderBooks } from './provider-books.js';

/** How long an attempt may take. Milliseconds. */
export const TIMEOUT_MS = 250;

/** A call that is this old by the time it is read was lost on its way: the engine counts on no call being on its way for longer than a second. */
const TOO_OLD_MS = 500;
const HANGS_FOR_MS = TIMEOUT_MS + 150;

const OK = 200;
const NOTHING = 204;
const REFUSED = 422;
const BUSY = 409;
const BROKEN = 503;
const NOBODY_KNOWS = 300;

type Fate = 'well' | 'before' | 'after' | 'hangs' | 'hangs after' | 'refuses' | 'busy' | 'nobody knows';

const FATES: Readonly<Record<Wanted['act'], readonly Fate[]>> = {
  make: ['before', 'after', 'hangs', 'hangs after', 'refuses', 'busy'],
  undo: ['before', 'after', 'hangs', 'hangs after', 'busy', 'refuses'],
  find: ['before', 'hangs', 'nobody knows'],
};

/**
 * Who charges, books, sends mail and undoes that, outside of the engine: an HTTP server in the test's process that keeps idempotency keys, and books what
 * happened at the moment at which it happens. Its faults follow from the seed, the run and how often it was asked.
 */
export class Provider {
  readonly books = new ProviderBooks();
  faulty = true;
  private readonly asked = new Map<string, number>();
  private underWay = 0;

  private constructor(
    private readonly server: Server,
    private readonly seed: number,
  ) {}

  static async start(seed: number): Promise<Provider> {
    const server = createServer();
    const provider = new Provider(server, seed);
    server.on('request', (request, response) => void provider.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Whether nothing that was asked for can happen any more. */
  get atRest(): boolean {
    return this.underWay === 0;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.underWay++;
    try {
      const wanted = (await json(request)) as Wanted;
      if (Date.now() - wanted.sentAtMs > TOO_OLD_MS) return void response.destroy();
      const status = await this.meet(wanted);
      response.writeHead(status).end(JSON.stringify({ receipt: `${wanted.what} ${wanted.key}` }));
    } catch {
      // Whoever asked has died in the middle of it.
      response.destroy();
    } finally {
      this.underWay--;
    }
  }

  private async meet(wanted: Wanted): Promise<number> {
    const fate = this.fateOf(wanted);
    // What it has done already it says again.
    const known = this.books.has(wanted);
    if (fate === 'refuses' && !known) return REFUSED;
    if (fate === 'busy' && !known) return BUSY;
    if (fate === 'nobody knows') return NOBODY_KNOWS;
    if (fate === 'before') return BROKEN;
    if (fate === 'hangs') await pause(HANGS_FOR_MS);
    if (wanted.act === 'find') return known ? OK : NOTHING;
    this.books.enter(wanted as Wanted & Entry);
    if (fate === 'hangs after') await pause(HANGS_FOR_MS);
    return fate === 'after' ? BROKEN : OK;
  }

  private fateOf({ act, run, what }: Wanted): Fate {
    const name = `${act} ${run} ${what}`;
    const nth = (this.asked.get(name) ?? 0) + 1;
    this.asked.set(name, nth);
    const dice = new Dice(hashOf(`${this.seed} ${name} ${nth}`));
    if (!this.faulty || dice.between(0, 3) > 0) return 'well';
    const fates = FATES[act];
    return fates[dice.between(0, fates.length)] ?? 'well';
  }
}

/** FNV-1a. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** What a step gets to hear; the statuses mean what they mean everywhere. */
export function outcomeOf(status: number): 'well' | 'nothing' | 'refused' | 'busy' | 'unknown' | 'broken' {
  if (status === OK) return 'well';
  if (status === NOTHING) return 'nothing';
  if (status === REFUSED) return 'refused';
  if (status === BUSY) return 'busy';
  return status === NOBODY_KNOWS ? 'unknown' : 'broken';
}
