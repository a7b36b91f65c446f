import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { PawlError } from '@pawl/core';
import { type MessageKey, secretBytes } from './message-key.js';

/** Which way a message goes. */
export interface Direction {
  readonly from: string;
  readonly to: string;
}

const KEY_BYTES = 32;

/**
 * The keys of one service. Each direction between two services has a key of its own, derived by HKDF-SHA256 from the shared secret: what was
 * signed for shipping is nothing to billing, nor to the one who sent it.
 */
export class KeyRing {
  private readonly derived = new Map<string, KeyObject>();

  constructor(
    private readonly service: string,
    private readonly keys: readonly MessageKey[],
  ) {}

  /**
   * The key that signs what goes to a service: the first that is for it.
   * @throws PawlError `message_key_missing`
   */
  signing(to: string): { readonly id: string; readonly key: KeyObject } {
    const found = this.keys.find(({ peer }) => peer === undefined || peer === to);
    if (found === undefined) {
      throw new PawlError(
        'message_key_missing',
        `No key is for messages to ${to}: add one to the keys of ${this.service} and of ${to}.`,
        { to },
      );
    }
    const direction = { from: this.service, to };
    return { id: found.id, key: this.remembered(found, direction) ?? this.remember(found, direction) };
  }

  /** The keys of that id for what comes from a service; none if the id is unknown. */
  verifying(from: string, id: string): { readonly key: KeyObject; readonly keep: () => void }[] {
    const direction = { from, to: this.service };
    return this.keys
      .filter((key) => key.id === id && (key.peer === undefined || key.peer === from))
      .map((found) => {
        const key = this.remembered(found, direction) ?? derive(found, direction);
        // Kept once somebody has proved to have it: names that anybody can make up shall not fill the memory.
        return { key, keep: () => void this.derived.set(nameOf(found, direction), key) };
      });
  }

  private remembered(key: MessageKey, direction: Direction): KeyObject | undefined {
    return this.derived.get(nameOf(key, direction));
  }

  private remember(key: MessageKey, direction: Direction): KeyObject {
    const made = derive(key, direction);
    this.derived.set(nameOf(key, direction), made);
    return made;
  }
}

function nameOf({ id, peer = '' }: MessageKey, { from, to }: Direction): string {
  return `${id}@${peer}/${from}>${to}`;
}

function derive({ secret }: MessageKey, { from, to }: Direction): KeyObject {
  const bytes = hkdfSync('sha256', secretBytes(secret), '', `pawl/${from}>${to}`, KEY_BYTES);
  return createSecretKey(Buffer.from(bytes));
}
