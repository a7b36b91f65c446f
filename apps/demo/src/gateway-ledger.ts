import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Behaviour } from './gateway-plan.js';

/** One call of the gateway, one line of its file. */
export interface GatewayCall {
  readonly key: string;
  readonly order: string;
  readonly cents: number;
  /** `charged` once per key; `repeated`: the same key again; `refused`: the same key for another charge. */
  readonly result: 'charged' | 'repeated' | 'refused' | 'failed';
  readonly answer: 'at once' | Behaviour;
}

export interface Charge {
  readonly id: string;
  readonly order: string;
  readonly cents: number;
}

/** The gateway's own books: every call is a line, on disk before the caller hears of it. */
export class GatewayLedger {
  private readonly descriptor: number;
  private readonly charges = new Map<string, Charge>();

  constructor(file: string) {
    this.descriptor = openSync(file, 'a');
  }

  /** Charges once per key; the same charge for the same key, for ever; undefined for a key that named another charge. */
  charge(key: string, wanted: Omit<Charge, 'id'>, answer: GatewayCall['answer']): Charge | undefined {
    const known = this.charges.get(key);
    if (known) {
      const same = known.order === wanted.order && known.cents === wanted.cents;
      this.write({ key, ...wanted, result: same ? 'repeated' : 'refused', answer });
      return same ? known : undefined;
    }
    const charge = { id: `charge-${this.charges.size + 1}`, ...wanted };
    this.write({ key, ...wanted, result: 'charged', answer });
    this.charges.set(key, charge);
    return charge;
  }

  /** A call that was turned away and charged nothing. */
  failed(key: string, wanted: Omit<Charge, 'id'>): void {
    this.write({ key, ...wanted, result: 'failed', answer: 'fail' });
  }

  find(key: string): Charge | undefined {
    return this.charges.get(key);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(call: GatewayCall): void {
    appendFileSync(this.descriptor, `${JSON.stringify(call)}\n`);
    fsyncSync(this.descriptor);
  }
}

/** Every call in a gateway's file, oldest first. */
export async function readLedger(file: string): Promise<readonly GatewayCall[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as GatewayCall);
}
