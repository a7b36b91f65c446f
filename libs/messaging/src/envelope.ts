import type { Json } from '@pawl/core';
import { TYPE_NAME, TYPE_NAME_LENGTH_MAX } from './message-type.js';
import { PAYLOAD_BYTES_MAX, payloadProblems } from './payload.js';
import { isIncarnation } from './protocol/incarnation.js';
import { type Guarantee, isServiceName, type KeyOrder, PARTITIONS_MAX, streamEnds } from './route.js';

/**
 * A message on its way: a CloudEvents 1.0 event in structured JSON. `stream`, `partition`, `incarnation` and `sequence` identify it
 * for ever; all copies of a message are equal but for `transmission`.
 */
export interface Envelope {
  readonly specversion: '1.0';
  readonly id: string;
  /** The sending service. */
  readonly source: string;
  readonly type: string;
  /** The ordering key. */
  readonly subject: string;
  /** When the message was written to the outbox, RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Version of the message type. */
  readonly dataversion: number;
  /** `<source>.<destination>` */
  readonly stream: string;
  readonly partition: number;
  /** Of the sending side; numbers mean something only together with it. */
  readonly incarnation: string;
  /** Dense from 0 on. */
  readonly sequence: number;
  /** Messages of this subject are handled in order, and this is what a dead letter does to those behind it. Absent: in any order. */
  readonly keyorder?: KeyOrder;
  /** The number before it of the same subject, which has to be closed first. Absent: all of them are. */
  readonly previous?: number;
  /** What is promised of its handling. Absent: exactly once. */
  readonly guarantee?: Exclude<Guarantee, 'exactly-once'>;
  /** 1 when sent for the first time. More than that: an earlier copy may have been tried. */
  readonly transmission: number;
  /** W3C trace context; dropped when malformed. */
  readonly traceparent?: string;
  /** Null if the payload does not travel: see `dataref`. */
  readonly data: Json;
  /** Where the payload is, at the HTTP of its sender (CloudEvents' claim-check): {@link payloadPath}, and nothing else. */
  readonly dataref?: string;
  /** With `dataref`: SHA-256 of the payload's canonical JSON, base64url. */
  readonly datadigest?: string;
  /** With `dataref`: bytes of the payload's JSON. */
  readonly datasize?: number;
}

/** Where the payload of a message is fetched that does not travel. */
export function payloadPath({ stream, id }: Pick<Envelope, 'stream' | 'id'>): string {
  return `/feed/${stream}/payloads/${id}`;
}

type Claim = Pick<Envelope, 'dataref' | 'datadigest' | 'datasize'>;

/** What arrived is no envelope, and why. Never stored, only counted: anybody could make any number of them. */
export interface Problem {
  readonly problems: readonly string[];
}

export const KEY_LENGTH_MAX = 512;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGEST = /^[\w-]{43}$/;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Reads what came from outside: a ghost job, garbage and forgery give a {@link Problem}. Never throws. */
export function parseEnvelope(input: unknown): Envelope | Problem {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    return { problems: ['is not an object'] };
  }
  const fields = input as Readonly<Record<string, unknown>>;
  const problems = RULES.filter(([name, holds]) => !holds(fields[name])).map(
    ([name]) => `${name} is invalid`,
  );
  if (problems.length === 0) problems.push(...relationProblems(fields as unknown as Envelope));
  return problems.length > 0 ? { problems } : pick(fields as unknown as Envelope);
}

export function isProblem<T extends object>(parsed: T | Problem): parsed is Problem {
  return 'problems' in parsed;
}

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

export function isKey(value: unknown): value is string {
  return isText(value, KEY_LENGTH_MAX) && !/[\0\p{Surrogate}]/u.test(value);
}

/** A whole number that JSON and PostgreSQL's bigint both carry exactly. */
export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const RULES: readonly (readonly [keyof Envelope, (value: unknown) => boolean])[] = [
  ['specversion', (value) => value === '1.0'],
  ['id', isUuid],
  ['source', isServiceName],
  ['type', (value) => isText(value, TYPE_NAME_LENGTH_MAX) && TYPE_NAME.test(value)],
  ['subject', isKey],
  ['time', (value) => isText(value, 40) && TIME.test(value)],
  ['datacontenttype', (value) => value === 'application/json'],
  ['dataversion', (value) => isCount(value)],
  ['stream', (value) => isText(value, 127) && streamEnds(value) !== undefined],
  [
    'partition',
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < PARTITIONS_MAX,
  ],
  ['incarnation', isIncarnation],
  ['sequence', isSequence],
  ['transmission', (value) => isCount(value)],
  ['keyorder', (value) => value === undefined || value === 'hold' || value === 'pass'],
  ['previous', (value) => value === undefined || isSequence(value)],
  ['guarantee', (value) => value === undefined || value === 'at-least-once' || value === 'at-most-once'],
];

function relationProblems(envelope: Envelope): string[] {
  const problems =
    envelope.data === undefined
      ? ['data is missing']
      : payloadProblems(envelope.data).map((problem) => `data ${problem}`);
  problems.push(...referenceProblems(envelope));
  if (envelope.previous !== undefined && envelope.previous >= envelope.sequence)
    problems.push('previous is not below sequence');
  if (envelope.keyorder !== undefined && envelope.guarantee !== undefined)
    problems.push('guarantee is there beside keyorder');
  if (streamEnds(envelope.stream)?.from !== envelope.source) problems.push('stream is not one of its source');
  return problems;
}

/** An address of the sender's choice is never asked: the reference has to be the one that follows from the message. */
function referenceProblems(envelope: Envelope): string[] {
  const { dataref, datadigest, datasize, data } = envelope;
  if (dataref === undefined) return [];
  const problems: string[] = [];
  if (dataref !== payloadPath(envelope)) problems.push('dataref is not that of the message');
  if (!isText(datadigest, 43) || !DIGEST.test(datadigest)) problems.push('datadigest is invalid');
  if (!isSequence(datasize) || datasize > PAYLOAD_BYTES_MAX) problems.push('datasize is invalid');
  if (data !== null) problems.push('data is there beside dataref');
  return problems;
}

/** Only what is known: unknown attributes are dropped, a malformed trace context starts a new trace. */
function pick(given: Envelope): Envelope {
  const { specversion, id, source, type, subject, time, datacontenttype, dataversion } = given;
  const { stream, partition, incarnation, sequence, transmission, keyorder, previous, guarantee, data } =
    given;
  const traced =
    isText(given.traceparent, 55) && TRACEPARENT.test(given.traceparent)
      ? { traceparent: given.traceparent }
      : {};
  const head = { specversion, id, source, type, subject, time, datacontenttype, dataversion };
  const order = {
    ...(keyorder === undefined ? {} : { keyorder }),
    ...(previous === undefined ? {} : { previous }),
    ...(guarantee === undefined ? {} : { guarantee }),
  };
  const { dataref, datadigest, datasize } = given;
  const claim = dataref === undefined ? {} : ({ dataref, datadigest, datasize } as Required<Claim>);
  return {
    ...head,
    stream,
    partition,
    incarnation,
    sequence,
    transmission,
    ...order,
    ...traced,
    data,
    ...claim,
  };
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= lengthMax;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_000_000;
}
