import { PawlError, statement, type Transaction } from '@pawl/core';
import { v7 } from 'uuid';
import type { Envelope } from './envelope.js';

/** One try that failed, as it is kept with a dead letter. */
export interface RecordedError {
  /** RFC 3339. */
  readonly at: string;
  readonly name: string;
  readonly code?: string;
  /** Cut off at 2,000 characters; from user code, so not to be trusted. */
  readonly message: string;
}

/** Something that no policy will try again: a person redrives or waives it. */
export interface DeadLetter {
  readonly origin: 'message' | 'event';
  readonly stream?: string;
  /** The id under which its source knows it. */
  readonly messageId?: string;
  readonly workflow?: string;
  readonly runKey?: string;
  readonly type: string;
  readonly version: number;
  readonly payload: unknown;
  /** What the message's envelope said beside its payload. */
  readonly envelope?: Omit<Envelope, 'data'>;
  /** Who delivered the event. */
  readonly source?: string;
  /** A stable code, `unknown_type`. */
  readonly reason: string;
  /** Which rule decided, in words. */
  readonly rule?: string;
  readonly errors?: readonly RecordedError[];
}

/** Why something is a dead letter. */
export type Burial = Pick<DeadLetter, 'reason' | 'rule' | 'errors'>;

/** A message as a dead letter, with all that a redrive needs. */
export function deadMessage({ data, ...envelope }: Envelope, why: Burial): DeadLetter {
  const { stream, id: messageId, type, dataversion: version } = envelope;
  return { origin: 'message', stream, messageId, type, version, payload: data, envelope, ...why };
}

/**
 * Writes dead letters in the caller's transaction, one statement for all; answers their new ids in order.
 * @throws BuriedAgainError for what is being redriven: {@link withoutBurial}
 */
export async function appendDeadLetters(tx: Transaction, letters: readonly DeadLetter[]): Promise<string[]> {
  if (letters.length === 0) return [];
  const again = letters.find(({ messageId }) => messageId !== undefined && messageId === unburied.get(tx));
  if (again !== undefined) throw new BuriedAgainError(again);
  const rows = letters.map((letter) => ({ id: v7(), ...letter, errors: letter.errors ?? [] }));
  await tx.query(APPEND, [JSON.stringify(rows)]);
  return rows.map(({ id }) => id);
}

const APPEND = statement(
  'dead_letter_append',
  `INSERT INTO pawl.dead_letter
     (id, origin, stream, message_id, workflow, run_key, type, version, payload, envelope, source, reason, rule, errors)
   SELECT id, origin, stream, "messageId", workflow, "runKey", type, version, payload, envelope, source, reason, rule, errors
   FROM jsonb_to_recordset($1::jsonb) AS letter (
     id uuid, origin text, stream text, "messageId" text, workflow text, "runKey" text, type text, version integer,
     payload jsonb, envelope jsonb, source text, reason text, rule text, errors jsonb)`,
);

/** The message or event that each of these transactions redrives. */
const unburied = new WeakMap<Transaction, string>();

/** Does work in which this message or event may not become a dead letter, for it is one already: to write it throws instead. */
export async function withoutBurial<T>(
  tx: Transaction,
  messageId: string,
  work: () => Promise<T>,
): Promise<T> {
  unburied.set(tx, messageId);
  try {
    return await work();
  } finally {
    unburied.delete(tx);
  }
}

/** A redriven message or event would have become a dead letter again. */
export class BuriedAgainError extends PawlError {
  constructor({ reason, rule = '' }: DeadLetter) {
    super(reason, `It would become a dead letter again by ${reason}. ${rule}`.trim());
  }
}

const MESSAGE_LENGTH_MAX = 2_000;

/** The facts of a thrown value that are worth keeping; no stack, no parameters. */
export function recordedError(error: unknown): RecordedError {
  const { name, code, message } = (error ?? {}) as { name?: unknown; code?: unknown; message?: unknown };
  return {
    at: new Date().toISOString(),
    name: storable(typeof name === 'string' ? name : typeof error),
    ...(typeof code === 'string' ? { code: storable(code) } : {}),
    message: storable(typeof message === 'string' ? message : String(error)),
  };
}

function storable(text: string): string {
  return text.slice(0, MESSAGE_LENGTH_MAX).replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
}
