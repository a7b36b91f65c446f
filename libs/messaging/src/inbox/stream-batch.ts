import {
  BusyError,
  CommitUnknownError,
  crashPoint,
  DatabaseUnavailableError,
  type RangeSet,
  sqlState,
  statement,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import { appendDeadLetters, type Burial, type DeadLetter, deadMessage } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import { judgeArrival, type ReceiverView } from '../protocol/judge-arrival.js';
import { RouteCongestedError } from '../outbox/backlogs.js';
import type { Consumers } from './consumers.js';
import { type HeldLimits, heldKeys, heldRoom, holdMessages } from './held-keys.js';
import { InDisorderError } from './in-disorder-error.js';
import {
  closeNumbers,
  type InboxPartition,
  type LockedStream,
  lockStream,
  peekStream,
} from './inbox-stream.js';
import { appendLosses } from '../loss.js';
import { LeaveOpenError } from './leave-open-error.js';
import { openAtFirstSight } from './open-stream.js';
import { recentIds } from './recent-ids.js';
import type { OutsideCalls } from './outside-calls.js';
import { Turns } from './turns.js';
import { wavesOf } from './waves.js';

export interface StreamBatchOptions extends HeldLimits {
  /** Tries of one message before it becomes a dead letter. */
  readonly attemptsMax: number;
  /** Ranges that a partition's row may hold; a number that would need one more stays open. */
  readonly rangesMax: number;
  /** How long the ids of messages are kept, for a sender that was set back. Milliseconds; 0: not at all. */
  readonly restoreWindowMs: number;
}

/** A message to handle. */
export interface Incoming {
  readonly envelope: Envelope;
  /** An earlier copy may have been tried and ended its process: it is counted before it runs. */
  readonly suspect: boolean;
}

/** How a batch is to be run. */
export interface BatchMode {
  /** Whether these tries were counted beforehand; then suspects run, else they are set aside. */
  readonly counted: boolean;
  /** One message, tried apart from its partition, which it locks only when its handlers are done: they may take their time. */
  readonly apart?: boolean;
  /** Whether calls outside of the transaction are the caller's business; else messages that want them are set aside. */
  readonly called?: boolean;
}

/** A message that has to be counted, or called, before it is closed here. */
export interface SetAside {
  readonly envelope: Envelope;
  readonly attempts: number;
  /** Whether the end of an earlier try was not seen: it may have ended its process. */
  readonly deadly: boolean;
}

/** Where there is room to keep messages that can not be handled yet. */
interface Room {
  /** The keys that are held, with the room behind each. */
  readonly held: ReadonlyMap<string, number>;
  /** For messages of unknown types and versions. */
  readonly room: number;
}

/** What became of the messages of a batch. */
export interface BatchResult {
  readonly closed: readonly Envelope[];
  readonly duplicates: readonly Envelope[];
  /** They come again. */
  readonly open: readonly Envelope[];
  /** Those of them that wait for the one before them, of the same key. */
  readonly early: readonly Envelope[];
  /** Not tried: they have to be counted first. */
  readonly setAside: readonly SetAside[];
  /** Closed by this, with a row in the loss ledger, and not called yet: at most once. */
  readonly marked?: readonly Envelope[];
  /** What is closed now, by which incarnation of ours. */
  readonly ledger: { readonly closed: RangeSet; readonly receiver: string } | undefined;
}

/**
 * Handles messages of one stream partition in one transaction, in this order: lock the partition's row, drop what is closed, let the
 * consumers handle the rest, close the numbers, commit. Whatever throws leaves nothing behind.
 */
export class StreamBatch {
  constructor(
    private readonly transactions: Transactions,
    private readonly consumers: Consumers,
    private readonly calls: OutsideCalls,
    private readonly options: StreamBatchOptions,
  ) {}

  async run(partition: InboxPartition, batch: readonly Incoming[], mode: BatchMode): Promise<BatchResult> {
    const result = await this.transactions.run(async (tx) => {
      const sequences = batch.map(({ envelope }) => envelope.sequence);
      const stream = mode.apart
        ? await this.approach(tx, partition, sequences)
        : await lockStream(tx, partition, sequences);
      if (stream === undefined) return refused(batch);
      const envelopes = batch.map(({ envelope }) => envelope);
      const ids = envelopes.map(({ id }) => id);
      const seen = stream.compares ? await recentIds(tx, partition, ids) : NONE;
      const held = await heldKeys(tx, partition.stream, envelopes, this.options);
      const room = envelopes.every((envelope) => this.knows(envelope)) ? 0 : await heldRoom(tx, this.options);
      const sorted = this.sort({ ...stream, seen }, { held, room }, batch, mode);
      const open = await this.consume(tx, partition.stream, sorted.fresh, mode);
      if (mode.apart) await this.assertStillFresh(tx, partition, sorted.ending);
      const marked = sorted.fresh.filter(
        (envelope) => envelope.guarantee === 'at-most-once' && this.calls.concern(envelope),
      );
      await appendLosses(
        tx,
        marked.map((envelope) => this.calls.lossOf(envelope)),
      );
      await appendDeadLetters(tx, sorted.dead);
      await holdMessages(tx, sorted.held);
      const closed = sorted.ending.filter(({ id }) => !open.has(id));
      const ending = [...closed, ...sorted.recognised];
      const closing = ending.map(({ sequence }) => sequence);
      const ledger = await closeNumbers(tx, partition, {
        closing,
        forgotten: [...stream.attempts.keys()].filter((n) => stream.closed.has(n) || closing.includes(n)),
        duplicates: sorted.duplicates.length + sorted.recognised.length,
        refused: sorted.superseded.length,
        ids: this.options.restoreWindowMs > 0 ? ending.map(({ id }) => id) : [],
      });
      crashPoint('inbox.before-commit');
      return {
        closed,
        duplicates: [...sorted.duplicates, ...sorted.recognised],
        open: [
          ...sorted.superseded,
          ...sorted.refused,
          ...sorted.early,
          ...sorted.fresh.filter(({ id }) => open.has(id)),
        ],
        early: sorted.early,
        setAside: sorted.setAside,
        marked,
        ledger: { closed: ledger, receiver: stream.receiver },
      };
    });
    crashPoint('inbox.after-commit');
    return result;
  }

  /** For a try that must not hold up its partition: nothing is locked but this number, against another process that tries it apart. */
  private async approach(
    tx: Transaction,
    partition: InboxPartition,
    sequences: readonly number[],
  ): Promise<LockedStream | undefined> {
    const { stream, partition: number, incarnation } = partition;
    const [got] = await tx.query<{ mine: boolean }>(OURS, [
      `${stream}/${number}/${incarnation}/${sequences.join()}`,
    ]);
    if (got?.mine !== true) throw new LeaveOpenError('another process is at it.');
    const known = await peekStream(tx, partition, sequences);
    if (known !== undefined) return known;
    await this.transactions.run((other) => openAtFirstSight(other, partition));
    return peekStream(tx, partition, sequences);
  }

  /** The check and the mark of a number are under one lock here too: the handlers of whoever comes second are rolled back. */
  private async assertStillFresh(
    tx: Transaction,
    partition: InboxPartition,
    ending: readonly Envelope[],
  ): Promise<void> {
    const stream = await lockStream(tx, partition, []);
    const ids = ending.map(({ id }) => id);
    const seen = stream?.compares ? await recentIds(tx, partition, ids) : NONE;
    for (const envelope of ending) {
      const arrival = stream && judgeArrival({ ...stream, seen }, envelope, this.options);
      if (arrival !== 'fresh') throw new LeaveOpenError(`it is ${arrival ?? 'forgotten'} by now.`);
    }
  }

  /** Decides what is done with each message, before anything is done. */
  private sort(
    stream: LockedStream & Pick<ReceiverView, 'seen'>,
    { held, room }: Room,
    batch: readonly Incoming[],
    { counted, called = false }: BatchMode,
  ): SortedBatch {
    const turns = new Turns(stream.closed, held, this.options.heldPerKeyMax);
    const sorted = new SortedBatch(turns);
    let marked = stream.closed;
    for (const { envelope, suspect } of batch.toSorted((a, b) => a.envelope.sequence - b.envelope.sequence)) {
      const { attempts = 0, errors = [] } = stream.attempts.get(envelope.sequence) ?? {};
      const arrival = judgeArrival({ ...stream, closed: marked }, envelope, this.options);
      const turn = turns.of(envelope);
      if (arrival === 'duplicate') sorted.duplicates.push(envelope);
      else if (arrival === 'superseded') sorted.superseded.push(envelope);
      else if (arrival === 'recognised') {
        marked = marked.add(envelope.sequence);
        sorted.recognise(envelope);
      } else if (turn === 'early') sorted.early.push(envelope);
      else if (turn === 'no-room' || arrival === 'too-many-ranges') sorted.refused.push(envelope);
      // Its payload could not be fetched.
      else if (envelope.dataref !== undefined) sorted.refused.push(envelope);
      else if (!this.knows(envelope) && room <= sorted.held.length) sorted.refused.push(envelope);
      else {
        marked = marked.add(envelope.sequence);
        const spent = counted ? attempts - 1 : attempts;
        if (turn === 'held') sorted.hold(envelope);
        else if (spent >= this.options.attemptsMax)
          sorted.bury(envelope, { reason: 'attempts_exhausted', errors });
        else if ((!counted && (suspect || attempts > 0)) || (!called && this.calls.concern(envelope)))
          sorted.setAside.push({ envelope, attempts, deadly: attempts > errors.length });
        else if (!this.knows(envelope)) sorted.park(envelope);
        else sorted.handle(envelope);
      }
    }
    return sorted;
  }

  private knows({ type, dataversion }: Envelope): boolean {
    return this.consumers.of(type, dataversion).length > 0;
  }

  private async consume(
    tx: Transaction,
    stream: string,
    fresh: readonly Envelope[],
    { apart = false }: BatchMode,
  ): Promise<ReadonlySet<string>> {
    const open = new Set<string>();
    for (const wave of wavesOf(fresh, this.consumers)) {
      for (const [consumer, envelopes] of this.consumers.share(wave)) {
        const inside = envelopes.filter((envelope) => !this.consumers.outside(envelope).includes(consumer));
        if (inside.length === 0) continue;
        for (const id of await consumer.handle(inside, tx, { apart })) open.add(id);
      }
    }
    await this.assertInOrder(tx, stream, fresh, open);
    // What one consumer leaves open another one has handled: that must not commit.
    const half = fresh.some(
      ({ id, type, dataversion }) => open.has(id) && this.consumers.of(type, dataversion).length > 1,
    );
    if (half) throw new LeaveOpenError('one of its consumers left it, others handled it.');
    return open;
  }

  /** What a consumer left open, or has buried itself, was not handled before what stands behind it. */
  private async assertInOrder(
    tx: Transaction,
    stream: string,
    fresh: readonly Envelope[],
    open: ReadonlySet<string>,
  ): Promise<void> {
    const left = new Set(fresh.filter(({ id }) => open.has(id)).map(({ sequence }) => sequence));
    const behind = fresh.filter(({ previous }) => fresh.some(({ sequence }) => sequence === previous));
    if (behind.some(({ id, previous }) => previous !== undefined && left.has(previous) && !open.has(id)))
      throw new InDisorderError(stream, 'one was left open, and one behind it was handled');
    const buried = await heldKeys(tx, stream, behind, this.options);
    if (buried.size > 0) throw new InDisorderError(stream, 'one was buried, and one behind it was handled');
  }
}

/**
 * Whether an error says nothing about the message: it stays open and no attempt is counted. A statement that the server cancelled, or a
 * transaction that idled too long, is the handler's own doing.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return !OWN_DOING.has(sqlState(error.cause) ?? '');
  return TRANSIENT.some((type) => error instanceof type);
}

const TRANSIENT = [BusyError, CommitUnknownError, LeaveOpenError, RouteCongestedError];

const OWN_DOING = new Set(['57014', '25P03']);

const OURS = statement('inbox_ours', `SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine`);

const NONE: ReadonlySet<string> = new Set();

class SortedBatch {
  /** Copies of an older session of their sender. */
  readonly superseded: Envelope[] = [];
  /** They took effect under another number. */
  readonly recognised: Envelope[] = [];
  readonly early: Envelope[] = [];
  readonly held: Envelope[] = [];
  readonly duplicates: Envelope[] = [];
  readonly refused: Envelope[] = [];
  readonly setAside: SetAside[] = [];
  readonly fresh: Envelope[] = [];
  /** Closed by a dead letter. */
  readonly buried: Envelope[] = [];
  readonly dead: DeadLetter[] = [];

  constructor(private readonly turns: Turns) {}

  /** What is stored by this, one way or the other. */
  get ending(): readonly Envelope[] {
    return [...this.buried, ...this.held, ...this.fresh];
  }

  recognise(envelope: Envelope): void {
    this.recognised.push(envelope);
    this.turns.handled(envelope);
  }

  handle(envelope: Envelope): void {
    this.fresh.push(envelope);
    this.turns.handled(envelope);
  }

  hold(envelope: Envelope): void {
    this.held.push(envelope);
    this.turns.held(envelope);
  }

  /** No process that runs here has its type and version: it waits for one that has, and those behind it of its key wait with it. */
  park(envelope: Envelope): void {
    this.held.push(envelope);
    this.turns.parked(envelope);
  }

  bury(envelope: Envelope, why: Burial): void {
    this.turns.buried(envelope);
    this.buried.push(envelope);
    this.dead.push(deadMessage(envelope, why));
  }
}

function refused(batch: readonly Incoming[]): BatchResult {
  const open = batch.map(({ envelope }) => envelope);
  return { closed: [], duplicates: [], open, early: [], setAside: [], ledger: undefined };
}
