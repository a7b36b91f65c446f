import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import { Noted } from '../messaging/service-pair.js';

const TIMEOUT_MS = 5_000;

/** A handler whose effect is outside: a call that the ledger counts. */
export function calling(ledger: string): HandlerConsumer {
  const call = async (data: unknown): Promise<void> => {
    const body = JSON.stringify({ key: String((data as Noted).n), idempotencyKey: '' });
    const { ok } = await fetch(ledger, { method: 'POST', body });
    if (!ok) throw new Error('not today');
  };
  return new HandlerConsumer('Test.calling', Noted, call, TIMEOUT_MS);
}
