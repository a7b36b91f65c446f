import { type Duty, PawlError, statement, type Transactions } from '@pawl/core';

export interface FeedPartition {
  /** Name of the reading service. */
  readonly destination: string;
  readonly partition: number;
}

/** How often the partitions of waiting polls are looked at: another process may have numbered something. Milliseconds. */
const EVERY_MS = 500;

/**
 * The polls that wait for a message. The relay of this process wakes them at once; what other processes have numbered is noticed by one
 * statement for all that wait, and none while nobody does.
 */
export class FeedPolls implements Duty {
  readonly name = 'feed polls';
  readonly everyMs = EVERY_MS;
  private readonly polls = new Map<string, Set<FeedPoll>>();
  private closed = false;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: { readonly pollsMax: number },
  ) {}

  /** Polls of one reader. */
  countOf(destination: string): number {
    return this.all().filter(({ of }) => of.destination === destination).length;
  }

  /** @throws TooManyPollsError */
  open(of: FeedPartition): FeedPoll {
    if (this.countOf(of.destination) >= this.options.pollsMax) throw new TooManyPollsError(of.destination);
    const key = keyOf(of);
    const poll = new FeedPoll(of, () => {
      const others = this.polls.get(key);
      others?.delete(poll);
      if (others?.size === 0) this.polls.delete(key);
    });
    this.polls.set(key, (this.polls.get(key) ?? new Set()).add(poll));
    if (this.closed) poll.end();
    return poll;
  }

  /** Something new is there to be read. */
  wake(partitions: Iterable<FeedPartition>): void {
    for (const partition of partitions)
      for (const poll of this.polls.get(keyOf(partition)) ?? []) poll.wake();
  }

  async pass(): Promise<number> {
    const waiting = this.all();
    if (waiting.length === 0) return 0;
    const values = [waiting.map(({ of }) => of.destination), waiting.map(({ of }) => of.partition)];
    const rows = await this.transactions.run((tx) => tx.query<PartitionState>(STATES, values));
    for (const { state, ...partition } of rows) {
      for (const poll of this.polls.get(keyOf(partition)) ?? []) poll.notice(state);
    }
    return 0;
  }

  /** Has all polls answered with what there is: those that wait, and those that come. */
  close(): void {
    this.closed = true;
    for (const poll of this.all()) poll.end();
  }

  private all(): FeedPoll[] {
    return [...this.polls.values()].flatMap((polls) => [...polls]);
  }
}

/** A question that may have to wait for its answer. */
export class FeedPoll {
  private seen: string | undefined;
  private woken = false;
  private ended = false;
  private settle: (() => void) | undefined;

  /** @param close to be called once the question is answered */
  constructor(
    readonly of: FeedPartition,
    readonly close: () => void,
  ) {}

  /**
   * Waits until there may be something new. Answers false if there is no use in looking again: the time is over, the reader has gone, or
   * the service stops.
   * @param seen the state of the partition that was looked at
   */
  async wait(seen: string, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<boolean> {
    this.seen = seen;
    if (!this.woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.settle = (): void => {
          clearTimeout(timer);
          resolve();
        };
        // The signal is that of one request, and goes with it.
        signal.addEventListener('abort', this.settle, { once: true });
      });
    }
    return this.woken && !this.ended && !signal.aborted;
  }

  wake(): void {
    this.woken = true;
    this.settle?.();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  notice(state: string): void {
    if (this.seen !== undefined && this.seen !== state) this.wake();
  }
}

/** More polls of one reader wait than it can have partitions. HTTP: 503. */
export class TooManyPollsError extends PawlError {
  constructor(reader: string) {
    super('too_many_polls', `Too many polls of ${reader} wait here already: one per partition is enough.`, {
      reader,
    });
  }
}

function keyOf({ destination, partition }: FeedPartition): string {
  return `${destination}/${partition}`;
}

type PartitionState = FeedPartition & { readonly state: string };

/** What changes with each number that is given and each question that is asked. */
export const STATE = `concat_ws('/', s.incarnation, s.next_sequence, s.nonce)`;

const STATES = statement(
  'feed_states',
  `SELECT s.destination, s.partition, ${STATE} AS state
   FROM pawl.outbox_stream s
   JOIN unnest($1::text[], $2::integer[]) AS wanted (destination, partition) USING (destination, partition)`,
);
