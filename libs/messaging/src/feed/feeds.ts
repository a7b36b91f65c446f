import { DutyLoop, type DutyErrorListener, RefusedToBootError, type Transactions } from '@pawl/core';
import { PARTITIONS_MAX, streamEnds, streamName } from '../route.js';
import type { Delivery, Receive, Transport } from '../transport/transport.js';
import { FeedClient } from './feed-client.js';
import { type FeedSource, sourceProblems } from './feed-options.js';
import { FeedPuller } from './feed-puller.js';
import { FeedReaders } from './feed-readers.js';
import type { Seals } from '../integrity/seals.js';

export interface FeedsOptions {
  readonly service: string;
  readonly seals: Seals;
  readonly onError: DutyErrorListener;
}

const PARTITIONS = 8;
/** Messages from the first that is missing on: those of a gap and a few that are there. */
const GAP_LIMIT = 100;

/** The first number that an incoming partition lacks. */
export interface Missing {
  readonly stream: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly missing: number;
}

/** A feed that this service reads. */
interface Reading {
  readonly source: FeedSource;
  readonly client: FeedClient;
  readonly loops: DutyLoop[];
}

/** The feeds of other services that this one reads: a duty per partition pulls, and what runs the other way goes there too. */
export class Feeds {
  private readonly readings = new Map<string, Reading>();
  private readonly readers: FeedReaders;
  private receive: Receive | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: FeedsOptions,
  ) {
    this.readers = new FeedReaders(transactions);
  }

  /**
   * One more feed, before {@link start}.
   * @throws RefusedToBootError `feeds_invalid`
   */
  add(source: FeedSource): void {
    const problems = sourceProblems([...this.sources, source]);
    if (problems.length > 0)
      throw new RefusedToBootError('feeds_invalid', 'Feeds can not be read:', problems);
    this.remember(source);
  }

  /** Pulls a feed, with what is known of it from {@link add}; answers what is wrong. */
  pull({ from, ...given }: Pick<FeedSource, 'from'> & Partial<FeedSource>): string[] {
    const known = this.readings.get(from)?.source;
    const { url, token } = { ...known, ...given };
    if (url === undefined || token === undefined) {
      return [
        `where '${from}' is is not known: MessagingModule.forRoot({ feeds: [{ from: '${from}', url, token }] })`,
      ];
    }
    const source = { ...known, ...given, from, url, token, pull: true };
    const problems = sourceProblems([source]);
    if (problems.length === 0) this.remember(source);
    return problems;
  }

  get sources(): FeedSource[] {
    return [...this.readings.values()].map(({ source }) => source);
  }

  /** The feed of a service, if it is known here. */
  client(from: string): FeedClient | undefined {
    return this.readings.get(from)?.client;
  }

  /**
   * Fetches what is missing from a number on, for a gap that the bus does not fill. Nothing is waited for; what comes goes the way of all messages.
   * @throws FeedUnavailableError, FeedRefusedError
   */
  async fetch({ stream, partition, incarnation, missing }: Missing): Promise<void> {
    const reading = this.readings.get(streamEnds(stream)?.from ?? '');
    if (reading === undefined) return;
    const question = { partition, incarnation, from: missing, limit: GAP_LIMIT, waitS: 0 };
    const { messages } = await reading.client.page(question);
    await this.receive?.(this.options.seals.open(messages), true);
  }

  /** Starts to pull. */
  start(receive: Receive): void {
    this.receive = receive;
    for (const reading of this.pulled()) this.grow(reading, reading.source.partitions ?? PARTITIONS);
  }

  /** Gives up the polls that wait, finishes the pages that have come, leaves the partitions to other processes. */
  async stop(): Promise<void> {
    this.receive = undefined;
    const loops = this.pulled().flatMap((reading) => reading.loops);
    await Promise.all(loops.map((loop) => loop.stop()));
    if (loops.length > 0) await this.readers.leave();
  }

  /** The way to the senders: to the feed of one whose messages are pulled, and over the bus to the others, or if the feed is away. */
  reverse(bus: Pick<Transport, 'publish'>): Pick<Transport, 'publish'> {
    return {
      publish: async (sender, deliveries) => {
        const reading = this.readings.get(sender);
        if (reading === undefined || reading.source.pull === false) return bus.publish(sender, deliveries);
        // Who pushes too hears it there; who does not has sent nothing meanwhile.
        return this.tell(reading, deliveries).catch(async () => bus.publish(sender, deliveries));
      },
    };
  }

  private async tell({ source, client }: Reading, deliveries: readonly Delivery[]): Promise<void> {
    await client.acknowledge(this.options.seals.seal(source.from, deliveries));
  }

  private remember(source: FeedSource): void {
    const stream = streamName({ from: source.from, to: this.options.service });
    this.readings.set(source.from, { source, client: new FeedClient(stream, source), loops: [] });
  }

  private pulled(): Reading[] {
    return [...this.readings.values()].filter(({ source }) => source.pull !== false);
  }

  /** One puller per partition; a stream that turns out to have more gets more. */
  private grow(reading: Reading, partitions: number): void {
    const count = Math.min(partitions, PARTITIONS_MAX);
    const { receive } = this;
    while (receive !== undefined && reading.loops.length < count) {
      const puller = this.puller(reading, reading.loops.length, receive);
      const loop = new DutyLoop(puller, this.options.onError);
      reading.loops.push(loop);
      loop.start();
    }
  }

  private puller(reading: Reading, partition: number, receive: Receive): FeedPuller {
    const { client } = reading;
    return new FeedPuller({
      stream: client.stream,
      partition,
      readers: this.readers,
      ask: async (question, signal) => client.page(question, signal),
      receive: async (messages, repeated) => receive(this.options.seals.open(messages), repeated),
      acknowledge: async (acknowledgement) => this.tell(reading, [{ acknowledgement }]),
      onPartitions: (count) => this.grow(reading, count),
    });
  }
}
