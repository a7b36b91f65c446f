import { crashPoint, type Duty } from '@pawl/core';
import type { Receive } from '../transport/transport.js';
import { type WireAcknowledgement, toWire } from '../acknowledgement.js';
import type { PageQuestion, ReceivedPage } from './feed-client.js';
import type { FeedReaders, ReadingPlace } from './feed-readers.js';
import { ReadingPosition } from './reading-position.js';

export interface FeedPullerOptions {
  readonly stream: string;
  readonly partition: number;
  readonly readers: Pick<FeedReaders, 'take'>;
  readonly ask: (question: PageQuestion, signal: AbortSignal) => Promise<ReceivedPage>;
  /** The entrance that what comes over the bus takes too. */
  readonly receive: Receive;
  /** Tells the sender what is closed. */
  readonly acknowledge: (acknowledgement: WireAcknowledgement) => Promise<void>;
  /** Told of how many partitions the stream has. */
  readonly onPartitions: (count: number) => void;
}

/** Messages of one page. */
const LIMIT = 100;
/** How long the sender may keep an empty answer back. Seconds. */
const WAIT_S = 5;
/** How long a partition stays with this process after the longest wait, should it die. Milliseconds. */
const LEASE_MS = 5_000;
const EVERY_MS = 250;
/** When a partition that another process has is looked at again. Milliseconds. */
const LOOK_AGAIN_MS = 2_000;
/** A sender that is away is asked ever more seldom, down to this. Milliseconds. */
const LONGEST_BACKOFF_MS = 10_000;

/**
 * Pulls one partition: asks for what comes after the inbox's watermark and hands it to the entrance that everything takes, so that where it
 * stands is committed with what the messages did, and there is one ledger for pushed and pulled ones.
 *
 * A page is a suspect, as a second transmission is, if this process did not see the end of an earlier one: a message that kills its process
 * is then counted before it runs.
 */
export class FeedPuller implements Duty {
  readonly name: string;
  readonly everyMs = EVERY_MS;
  private readonly position = new ReadingPosition();
  private idle = true;
  private told = '';
  private notBefore = 0;
  private failures = 0;

  constructor(private readonly options: FeedPullerOptions) {
    this.name = `feed of ${options.stream}/${options.partition}`;
  }

  async pass(signal: AbortSignal): Promise<number> {
    if (performance.now() < this.notBefore) return 0;
    try {
      const done = await this.pull(signal);
      this.failures = 0;
      return done;
    } catch (error) {
      if (signal.aborted) return 0;
      const afterMs = Math.min(LONGEST_BACKOFF_MS, EVERY_MS * 2 ** ++this.failures);
      this.notBefore = performance.now() + afterMs;
      throw error;
    }
  }

  private async pull(signal: AbortSignal): Promise<number> {
    const { readers, partition } = this.options;
    const { incarnation } = this.position;
    const leaseMs = WAIT_S * 1_000 + LEASE_MS;
    const place = await readers.take(this.options, { leaseMs, incarnation });
    if (place === undefined) {
      this.notBefore = performance.now() + LOOK_AGAIN_MS;
      return 0;
    }
    if (this.idle) await this.tell(place);
    const startedAt = performance.now();
    const { from, repeated, waitMs } = this.position.next(place, startedAt);
    const waitS = Math.min(WAIT_S, Math.ceil(waitMs / 1_000));
    const question = { partition, incarnation: this.position.incarnation, from, limit: LIMIT, waitS };
    const page = await this.options.ask(question, signal);
    this.options.onPartitions(page.partitions);
    this.idle = page.last === null;
    crashPoint('feed.after-pulling');
    if (page.messages.length > 0)
      await this.options.receive(page.messages, this.position.arrived(page) || repeated);
    // Nothing, and at once: the sender stops. A question and no message: it waits for the answer.
    const waited = performance.now() - startedAt > EVERY_MS && page.messages.length === 0;
    return this.idle ? Number(waited) : page.messages.length;
  }

  /** Says again what is closed, once, when nothing else comes: an acknowledgement that was lost is made good by no copy here. */
  private async tell({ incarnation, receiver, closed }: ReadingPlace): Promise<void> {
    if (incarnation === undefined || receiver === undefined) return;
    const { stream, partition } = this.options;
    const acknowledgement = toWire({ stream, partition, incarnation, receiver, closed });
    const text = JSON.stringify(acknowledgement);
    if (text === this.told) return;
    await this.options.acknowledge(acknowledgement);
    this.told = text;
  }
}
