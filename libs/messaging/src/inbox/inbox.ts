import { Batcher, type RangeSet, Slots } from '@pawl/core';
import type { Envelope } from '../envelope.js';
import { groupBy } from '../group-by.js';
import { type InboxPartition, partitionName } from './inbox-stream.js';
import type { PatientBatch } from './patient-batch.js';
import type { BatchResult } from './stream-batch.js';
import { type Early, WaitingRoom } from './waiting-room.js';

/**
 * - `closed`: stored by this call (handled, parked or dead letter); it takes effect once.
 * - `duplicate`: was stored before.
 * - `open`: not stored; its sender publishes it again.
 */
export type AcceptOutcome = 'closed' | 'duplicate' | 'open';

export interface InboxOptions {
  /** Transactions at a time, over all partitions of this process. */
  readonly transactionsMax: number;
  /** Messages that are taken in and not dealt with; what comes beyond is answered `open`. */
  readonly acceptedMax: number;
  /** Handlers in no transaction at a time, over all partitions of this process. */
  readonly callsMax: number;
  /** Told after each batch what is closed now: for acknowledgements, which may be lost. */
  readonly acknowledge: (partition: InboxPartition, ledger: { closed: RangeSet; receiver: string }) => void;
}

/** Messages of one partition that one transaction handles at most. */
const BATCH_MAX = 64;
/** Messages that wait for the one before them, over all partitions of this process. */
const EARLY_MAX = 500;

interface Waiting extends Early {
  readonly settle: (outcome: AcceptOutcome) => void;
}

/**
 * The one entrance for messages of other services: whatever brought them, each takes effect once. Messages of a partition are handled
 * in batches, one at a time; partitions side by side.
 */
export class Inbox {
  private readonly lanes = new Map<string, Batcher<Waiting>>();
  private readonly transactionSlots: Slots;
  /** Apart, so that handlers which take long keep nobody from a transaction. */
  private readonly callSlots: Slots;
  private accepted = 0;
  private readonly early = new WaitingRoom({
    waitingMax: EARLY_MAX,
    again: (early) => this.laneOf(early.envelope).add({ ...early, settle: () => undefined }),
  });

  constructor(
    private readonly batch: PatientBatch,
    private readonly options: InboxOptions,
  ) {
    this.transactionSlots = new Slots(options.transactionsMax);
    this.callSlots = new Slots(options.callsMax);
  }

  /**
   * Handles messages and answers what became of each, in their order. Never throws: what can not be handled stays open.
   * @param repeated these very deliveries were handed out before and perhaps ended their process
   */
  async accept(envelopes: readonly Envelope[], { repeated = false } = {}): Promise<AcceptOutcome[]> {
    // A flood stays where it is safe: at its sender.
    if (this.accepted + envelopes.length > this.options.acceptedMax) return envelopes.map(() => 'open');
    this.accepted += envelopes.length;
    const outcomes = await Promise.all(
      envelopes.map(
        (envelope) =>
          new Promise<AcceptOutcome>((settle) => {
            const suspect = repeated || envelope.transmission > 1;
            this.laneOf(envelope).add({ envelope, suspect, looks: 0, settle });
          }),
      ),
    );
    this.accepted -= envelopes.length;
    return outcomes;
  }

  get idle(): boolean {
    return this.lanes.size === 0;
  }

  /** Forgets what waits for its turn: its sender sends it again. */
  close(): void {
    this.early.close();
  }

  private laneOf({ stream, partition, incarnation, guarantee }: Envelope): Batcher<Waiting> {
    const key = `${partitionName({ stream, partition, incarnation })} ${guarantee ?? ''}`;
    const slots = guarantee === undefined ? this.transactionSlots : this.callSlots;
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const flush = async (batch: Waiting[]): Promise<void> => {
      await slots.use(() => this.flush({ stream, partition, incarnation }, batch));
      setImmediate(() => lane.idle && this.lanes.delete(key));
    };
    // What has been called is acknowledged before the next one is called.
    const batchMax = guarantee === undefined ? BATCH_MAX : 1;
    const lane = new Batcher<Waiting>(flush, { lanesMax: 1, batchMax });
    this.lanes.set(key, lane);
    return lane;
  }

  private async flush(partition: InboxPartition, batch: readonly Waiting[]): Promise<void> {
    const copies = groupBy(batch, ({ envelope }) => envelope.sequence);
    const unique = [...copies.values()].map(([first]) => first as Waiting);
    const { results, apart } = await this.batch.run(partition, unique);
    for (const { envelopes, results: later } of apart) {
      const theirs = envelopes.map(({ sequence }) => copies.get(sequence) ?? []);
      for (const { sequence } of envelopes) copies.delete(sequence);
      // The partition goes on meanwhile.
      void later.then((found) => this.conclude(partition, theirs, found));
    }
    this.conclude(partition, [...copies.values()], results);
  }

  private conclude(
    partition: InboxPartition,
    copies: readonly (readonly Waiting[])[],
    results: readonly BatchResult[],
  ): void {
    const outcomes = outcomesOf(results);
    for (const { sequence } of results.flatMap(({ early }) => early)) {
      const [first] = copies.find(([one]) => one?.envelope.sequence === sequence) ?? [];
      if (first !== undefined && !outcomes.has(sequence)) this.early.keep(first);
    }
    for (const { ledger } of results) {
      if (ledger === undefined) continue;
      this.options.acknowledge(partition, ledger);
      this.early.closed(partition, ledger.closed);
    }
    for (const same of copies) {
      const [first, ...others] = same as readonly [Waiting, ...Waiting[]];
      const outcome = outcomes.get(first.envelope.sequence) ?? 'open';
      first.settle(outcome);
      for (const other of others) other.settle(outcome === 'open' ? 'open' : 'duplicate');
    }
  }
}

function outcomesOf(results: readonly BatchResult[]): Map<number, AcceptOutcome> {
  const outcomes = new Map<number, AcceptOutcome>();
  for (const { closed, duplicates } of results) {
    for (const { sequence } of closed) outcomes.set(sequence, 'closed');
    for (const { sequence } of duplicates) outcomes.set(sequence, 'duplicate');
  }
  return outcomes;
}
