import { RefusedToBootError } from '@pawl/core';
import { type FeedOptions, feedProblems, type FeedSource, sourceProblems } from './feed/feed-options.js';
import { keyProblems, type MessageKey } from './integrity/message-key.js';
import type { WireVersion } from './integrity/wire-version.js';
import { isServiceName } from './route.js';
import { SESSION_RANGES_MAX } from './session-delivery.js';
import type { Transport } from './transport/transport.js';

/** Bounds of the messaging core. Each has a default that suits a service of ordinary size. */
export interface MessagingLimits {
  /** Numbered and unacknowledged messages per outgoing partition. Default 1,000. */
  readonly window: number;
  /** When an unacknowledged message is published again; doubles each time. Milliseconds, default 1,000. */
  readonly firstIntervalMs: number;
  /** Where the doubling ends. Milliseconds, default 60,000. */
  readonly longestIntervalMs: number;
  /**
   * How long acknowledged messages and the ids of handled ones are kept, so that a database that was set back to a backup of that age
   * loses and repeats nothing. Milliseconds, default 0: what was acknowledged is gone at once.
   */
  readonly restoreWindowMs: number;
  /** When a receiver is asked again what it has closed, while all is well. Milliseconds, default 60,000. */
  readonly keepAliveMs: number;
  /** Tries of an incoming message before it becomes a dead letter. Default 8. */
  readonly attemptsMax: number;
  /** Ranges of closed numbers per incoming partition; what would need one more stays open. Default 1,000. */
  readonly rangesMax: number;
  /** How long numbers may be missing while later ones have come, before that is reported. Milliseconds, default 300,000. */
  readonly gapDeadlineMs: number;
  /** Messages of one key that are stored behind a dead letter that holds it; more stay open. Default 1,000. */
  readonly heldPerKeyMax: number;
  /** Messages that are stored behind dead letters in all; more stay open. Default 10,000. */
  readonly heldMax: number;
  /** Messages that one process has in memory to be handled; what comes beyond stays open. Default 5,000. */
  readonly acceptedMax: number;
  /** How long a message of unknown type or version waits for a process that has it, before it is a dead letter. Milliseconds, default a day. */
  readonly parkedMs: number;
  /** Inbox transactions at a time; each holds a connection of the DataSource's pool. Default 4. */
  readonly transactionsMax: number;
  /** Jobs of the bus at a time. Default 8. */
  readonly concurrency: number;
  /** How long an `@OnMessage` handler may hold its partition up; what takes longer is tried again, apart. Milliseconds, default 1,000. */
  readonly togetherMs: number;
  /** Messages that are tried apart from their partition at a time, each with a connection of its own. Default 2. */
  readonly apartMax: number;
  /** How long an `@OnMessage` handler may take. Milliseconds, default 8,000: below the server's idle limit for transactions. */
  readonly handlerTimeoutMs: number;
  /**
   * How long an `@OnMessage` handler of an at-least-once or at-most-once route may take, which runs in no transaction. Milliseconds,
   * default 60,000.
   */
  readonly callTimeoutMs: number;
  /** Such handlers at a time. Default 8. */
  readonly callsMax: number;
  /** How long a row lock is waited for. Milliseconds, default 1,000. */
  readonly lockTimeoutMs: number;
  /** Payloads above this are fetched from the feed, where the receiver may read it. Bytes of JSON, default 65,536. */
  readonly claimCheckBytes: number;
  /** How long stopping may take. Milliseconds, default 10,000. */
  readonly stopTimeoutMs: number;
}

export interface MessagingOptions {
  /** Name of this service: source of its messages, destination of others'. */
  readonly service: string;
  /** `redis://`, `rediss://`, `redis-cluster://`, `postgres://`: where BullMQ carries messages. Either this or `transport`. */
  readonly busUrl?: string;
  /** Another transport than BullMQ, for tests. It is closed by whoever made it. */
  readonly transport?: Transport;
  /**
   * What messages are signed with (the first that fits) and verified with (all), shared with the services at the other ends; {@link messageKeys}
   * reads them from a text. Either these or `unsigned`.
   */
  readonly keys?: readonly MessageKey[];
  /** Does without signatures: whoever reaches the bus can then say anything to this service, in anybody's name. */
  readonly unsigned?: boolean;
  /**
   * In which version of the wire format this service writes. Default: the newest. All releases read the present version and the one before; if a
   * release raises it, deploy it everywhere with the version before, then take this option out. Unsigned deliveries are all of version 1.
   */
  readonly wireVersion?: WireVersion;
  /** Queue that stands between sender and receiver. */
  readonly via?: string;
  /** Keeps apart what shares one bus. Default 'pawl'. */
  readonly prefix?: string;
  /** Whether this process handles incoming messages. Default true; false for one that only serves HTTP. */
  readonly consume?: boolean;
  /** Lets other services read their messages here over HTTP; import `FeedModule` where that is served. */
  readonly feed?: FeedOptions;
  /** Feeds of other services that this one reads. */
  readonly feeds?: readonly FeedSource[];
  readonly limits?: Partial<MessagingLimits>;
}

export const DEFAULT_LIMITS: MessagingLimits = {
  window: 1_000,
  firstIntervalMs: 1_000,
  longestIntervalMs: 60_000,
  restoreWindowMs: 0,
  keepAliveMs: 60_000,
  attemptsMax: 8,
  rangesMax: 1_000,
  gapDeadlineMs: 300_000,
  heldPerKeyMax: 1_000,
  heldMax: 10_000,
  acceptedMax: 5_000,
  parkedMs: 86_400_000,
  transactionsMax: 4,
  concurrency: 8,
  togetherMs: 1_000,
  apartMax: 2,
  handlerTimeoutMs: 8_000,
  callTimeoutMs: 60_000,
  callsMax: 8,
  lockTimeoutMs: 1_000,
  claimCheckBytes: 65_536,
  stopTimeoutMs: 10_000,
};

const MAY_BE_0 = { restoreWindowMs: true } as const;

/** The limits in force. @throws RefusedToBootError `messaging_options_invalid` with every problem */
export function checkedLimits(options: MessagingOptions): MessagingLimits {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const problems = Object.entries(limits)
    .filter(([name, value]) => !Number.isInteger(value) || (value as number) < (name in MAY_BE_0 ? 0 : 1))
    .map(([name, value]) => `limits.${name} is ${String(value)}, not a whole number from 1 on`);
  for (const name of ['window', 'rangesMax'] as const)
    if (limits[name] >= SESSION_RANGES_MAX)
      problems.push(`limits.${name} is ${limits[name]}, more than 10000`);
  if (!isServiceName(options.service))
    problems.push(`service '${options.service}' is not made of lower case letters, digits, hyphens`);
  if ((options.busUrl === undefined) === (options.transport === undefined))
    problems.push('give either busUrl or transport');
  if ((options.keys === undefined) === (options.unsigned !== true))
    problems.push(
      'give either keys (messageKeys(text) reads them, or make one: id=whsec_$(openssl rand -base64 32)) or unsigned: true',
    );
  if (options.keys !== undefined) problems.push(...keyProblems(options.keys));
  if (options.feed !== undefined) problems.push(...feedProblems(options.feed));
  problems.push(...sourceProblems(options.feeds ?? []));
  if (limits.attemptsMax > 100) problems.push(`limits.attemptsMax is ${limits.attemptsMax}, more than 100`);
  if (limits.firstIntervalMs > limits.longestIntervalMs)
    problems.push('limits.firstIntervalMs is above limits.longestIntervalMs');
  if (problems.length > 0)
    throw new RefusedToBootError('messaging_options_invalid', 'MessagingModule can not start:', problems);
  return limits;
}
