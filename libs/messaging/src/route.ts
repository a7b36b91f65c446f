import { createHash } from 'node:crypto';
import { PawlError } from '@pawl/core';
import { noteRoute } from './declared.js';
import { type MessageClass, messageTypeOf } from './message-type.js';

export interface RouteOptions {
  /** Name of the receiving service. */
  readonly to: string;
  /** How many numbered partitions the route has; each has a send window of its own. Default 8. */
  readonly partitions?: number;
  /**
   * - `none` (default): the receiver handles whatever has arrived.
   * - `key`: messages of one ordering key are handled in the order in which they were numbered: that of their commits, and within a
   *   transaction that of `append`. Other keys wait for none of them. Keep `partitions` as it is while messages are out.
   */
  readonly order?: 'none' | 'key';
  /**
   * With `order: 'key'`, what a message that became a dead letter does to later ones of its key:
   * - `hold` (default): they are stored at the receiver, unhandled, until somebody redrives or waives it.
   * - `pass`: they are handled as if it had been.
   */
  readonly onDeadLetter?: KeyOrder;
  /**
   * Messages that may wait for the destination, numbered or not, before its edge refuses more: {@link Outbox.appendIn} and `assertRoom` then throw
   * `route_congested`. Default 100,000.
   */
  readonly backlogMax?: number;
  /**
   * - `bus` (default): messages are published, and may be pulled from the feed too.
   * - `feed`: they wait in the outbox until the receiver pulls them.
   */
  readonly transport?: 'bus' | 'feed';
  /**
   * Payloads of more bytes of JSON than this stay here until the receiver fetches them from the feed, and only their digest travels; 0: all
   * of them. Default: `limits.claimCheckBytes` if the receiver may read the feed, else they travel.
   */
  readonly claimCheckBytes?: number;
  /** What the receiver promises of the handling. Default `exactly-once`; see {@link Guarantee}. */
  readonly guarantee?: Guarantee;
  /** The messages that it carries: others are refused when they are sent, and its AsyncAPI document lists these. Default: any. */
  readonly messages?: readonly MessageClass[];
}

/**
 * What is promised of the handling of a message. Whichever it is, the message itself is numbered, sent until it is acknowledged and recognised
 * when it comes again; what differs is where its number closes relative to the handler.
 * - `exactly-once`: together, in one transaction. The handler writes through the EntityManager it is given.
 * - `at-least-once`: after the handler, which runs in no transaction, so it may call others and take long. A crash in between repeats it:
 *   for handlers that are idempotent by nature.
 * - `at-most-once`: before the handler, which runs in no transaction either. It is never called twice; whatever keeps it from ending well
 *   (an error, a crash) leaves a row in the loss ledger with the reason, and nobody calls it again.
 */
export type Guarantee = (typeof GUARANTEES)[number];

const GUARANTEES = ['exactly-once', 'at-least-once', 'at-most-once'] as const;

/** What a dead letter does to those behind it, of its key. */
export type KeyOrder = 'hold' | 'pass';

/** The way from this service to another one. Messages of one ordering key use one partition. */
export interface Route {
  readonly to: string;
  readonly partitions: number;
  /** Set if messages of one key are handled in order. */
  readonly keyOrder: KeyOrder | undefined;
  /** Messages that may wait for the destination before the edge refuses more. */
  readonly backlogMax: number;
  /** Whether the receiver pulls them and nothing is published. */
  readonly pulled: boolean;
  readonly claimCheckBytes: number | undefined;
  readonly guarantee: Guarantee;
  /** The messages that it carries; undefined: any. */
  readonly messages: readonly MessageClass[] | undefined;
  /** Whether it carries messages of this type and version. */
  readonly carries: (type: string, version: number) => boolean;
  /** The partition of an ordering key; the same in every process and release. */
  readonly partitionOf: (key: string) => number;
}

export const PARTITIONS_MAX = 256;
const PARTITIONS = 8;
const BACKLOG_MAX = 100_000;
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Declares a route.
 * @throws PawlError `route_invalid`
 */
export function route({
  to,
  partitions = PARTITIONS,
  order = 'none',
  onDeadLetter,
  backlogMax = BACKLOG_MAX,
  transport = 'bus',
  claimCheckBytes,
  guarantee = 'exactly-once',
  messages,
}: RouteOptions): Route {
  if (!isServiceName(to))
    throw invalid(`'${to}' is not a service name (lower case letters, digits, hyphens)`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw invalid(`${partitions} partitions are not 1 to ${PARTITIONS_MAX}`);
  }
  if (!Number.isInteger(backlogMax) || backlogMax < 1 || backlogMax > 1_000_000_000) {
    throw invalid(`backlogMax ${backlogMax} is not a whole number from 1 on`);
  }
  if (claimCheckBytes !== undefined && !(Number.isInteger(claimCheckBytes) && claimCheckBytes >= 0))
    throw invalid(`claimCheckBytes ${claimCheckBytes} is not a whole number from 0 on`);
  if (order === 'none' && onDeadLetter !== undefined)
    throw invalid(
      `onDeadLetter '${onDeadLetter}' needs order 'key': without an order nothing stands behind a dead letter`,
    );
  if (!GUARANTEES.includes(guarantee))
    throw invalid(`guarantee '${String(guarantee)}' is none of ${GUARANTEES.join(', ')}`);
  if (order === 'key' && guarantee !== 'exactly-once')
    throw invalid(
      `order 'key' needs exactly-once: a handler in no transaction may still run when the next one begins`,
    );
  const keyOrder = order === 'key' ? (onDeadLetter ?? 'hold') : undefined;
  const partitionOf = (key: string): number => stableHash(key) % partitions;
  const pulled = transport === 'feed';
  const types =
    messages && new Set(messages.map(messageTypeOf).map(({ name, version }) => `${name}@${version}`));
  const carries = (type: string, version: number): boolean => types?.has(`${type}@${version}`) ?? true;
  const contract = { messages, carries };
  const declared = {
    to,
    partitions,
    keyOrder,
    backlogMax,
    pulled,
    claimCheckBytes,
    guarantee,
    partitionOf,
    ...contract,
  };
  noteRoute(declared);
  return declared;
}

export function isServiceName(name: unknown): boolean {
  return typeof name === 'string' && SERVICE_NAME.test(name);
}

/** Name of the stream from one service to another, `orders.shipping`. */
export function streamName({ from, to }: { from: string; to: string }): string {
  return `${from}.${to}`;
}

/** The two ends of a stream, or nothing if it is not the name of one. */
export function streamEnds(stream: string): { from: string; to: string } | undefined {
  const [from = '', to = '', ...rest] = stream.split('.');
  return isServiceName(from) && isServiceName(to) && rest.length === 0 ? { from, to } : undefined;
}

function stableHash(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0);
}

function invalid(why: string): PawlError {
  return new PawlError('route_invalid', `route(): ${why}.`);
}
