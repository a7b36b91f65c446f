import { statement, type Transactions } from '@pawl/core';
import { deliveryOf, OUTBOX_COLUMNS, type OutboxRow } from '../outbox/outbox-row.js';
import { SESSION_OPEN } from '../outbox/sender-row.js';
import { streamName } from '../route.js';
import type { Delivery } from '../transport/transport.js';
import type { Seals } from '../integrity/seals.js';
import { type FeedOptions, POLLS_MAX } from './feed-options.js';
import { type FeedPartition, FeedPolls, STATE } from './feed-polls.js';

/** Most messages of one page. */
export const PAGE_MAX = 500;
/** Payload bytes beyond which a page ends early. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Which messages somebody wants. */
export interface FeedQuestion extends FeedPartition {
  /** Messages with a higher number. Absent: from the first one that is still there. */
  readonly after?: number;
  /** Whose numbers `after` means; for those of another incarnation it means nothing, and the answer starts from the first. */
  readonly incarnation?: string;
  readonly limit: number;
}

/** Messages of one stream partition, lowest number first. */
export interface FeedPage {
  readonly stream: string;
  readonly partition: number;
  /** Of this sender; null while the partition has had no message. */
  readonly incarnation: string | null;
  /** Just what would be published: messages, and questions about the partition. */
  readonly messages: readonly Delivery[];
  /** Ask for what comes after this number next. Null: there was none. */
  readonly last: number | null;
  /** Whether no higher number has been given yet. */
  readonly end: boolean;
  /** How many partitions the stream has used. */
  readonly partitions: number;
}

export interface OutboxFeedOptions extends FeedOptions {
  readonly service: string;
  readonly seals: Seals;
  /** What the reader is asked of a partition before its numbers are given. */
  readonly pendingQuestions: (destination: string, partition: number) => Promise<Delivery[]>;
}

/**
 * Shows the outbox to readers, by number. Numbers are dense and committed in their order under the lock of the partition's row, so who
 * has read up to 7 has missed nothing below it, whatever transaction is still open: a message that is not committed has no number yet.
 *
 * Reading changes nothing. A message is there until its reader has acknowledged it. What the relay asks a receiver before it gives numbers is
 * in the page too, for a reader that no bus reaches.
 */
export class OutboxFeed {
  readonly polls: FeedPolls;

  constructor(
    private readonly transactions: Transactions,
    readonly options: OutboxFeedOptions,
  ) {
    this.polls = new FeedPolls(transactions, { pollsMax: options.pollsMax ?? POLLS_MAX });
  }

  /**
   * Answers a page; if there is nothing, waits until there is, or until the time is over or the reader has gone, and then answers an empty
   * one.
   * @throws TooManyPollsError
   */
  async read(question: FeedQuestion, { waitMs, signal }: FeedPatience): Promise<FeedPage> {
    const until = performance.now() + waitMs;
    for (;;) {
      // Before the look, so that what is numbered during it is heard of.
      const poll = this.polls.open(question);
      try {
        const { page, state } = await this.look(question);
        const leftMs = until - performance.now();
        if (page.messages.length > 0 || leftMs <= 0 || !(await poll.wait(state, { ms: leftMs, signal })))
          return page;
      } finally {
        poll.close();
      }
    }
  }

  /** The JSON text of a payload that travels by reference; nothing once it is acknowledged. */
  async payload(destination: string, id: string): Promise<string | undefined> {
    const [row] = await this.transactions.run((tx) =>
      tx.query<{ payload: string }>(PAYLOAD, [destination, id]),
    );
    return row?.payload;
  }

  /** Of what a reader has sent, that which runs against its stream and no other; messages least of all. */
  opened(stream: string, deliveries: readonly unknown[]): unknown[] {
    return this.options.seals.open(deliveries).filter((content) => {
      if (typeof content !== 'object' || content === null || 'stream' in content) return false;
      // What speaks of a stream stands in a member of its own; beside it may be what form it has.
      const members = Object.values(content).filter((each) => typeof each === 'object' && each !== null);
      return members.length === 1 && (members[0] as { stream?: unknown }).stream === stream;
    });
  }

  private async look(question: FeedQuestion): Promise<{ page: FeedPage; state: string }> {
    const { destination, partition, after = -1, incarnation, limit } = question;
    const values = [destination, partition, after, incarnation ?? null, limit, PAGE_BYTES_MAX];
    const { service, seals, pendingQuestions } = this.options;
    const found = await this.transactions.run((tx) => tx.query<PageRow>(PAGE, values));
    const [head] = found;
    const rows = found.filter((row): row is PageRow & OutboxRow => row.id !== null);
    const questions = head?.asking === true ? await pendingQuestions(destination, partition) : [];
    const last = rows.at(-1)?.sequence;
    const page = {
      stream: streamName({ from: service, to: destination }),
      partition,
      incarnation: head?.incarnation ?? null,
      messages: seals.seal(destination, [...questions, ...rows.map((row) => deliveryOf(row, service))]),
      last: last === undefined ? null : Number(last),
      end: last === undefined || Number(last) + 1 >= Number(head?.next_sequence),
      partitions: head?.partitions ?? 0,
    };
    return { page, state: head?.state ?? '' };
  }
}

export interface FeedPatience {
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

type PageRow = { [Column in keyof Omit<OutboxRow, 'incarnation'>]: OutboxRow[Column] | null } & {
  readonly incarnation: string;
  readonly next_sequence: string;
  readonly state: string;
  readonly partitions: number;
  readonly asking: boolean;
};

/** Bytes are counted over the few rows that the limit lets through; the first one is always served. */
const PAGE = statement(
  'feed_page',
  `SELECT m.*, s.incarnation, s.next_sequence, ${STATE} AS state, s.nonce IS NOT NULL AS asking,
     (SELECT max(partition) + 1 FROM pawl.outbox_stream WHERE destination = $1) AS partitions
   FROM pawl.outbox_stream s LEFT JOIN LATERAL (
     SELECT * FROM (
       SELECT o.*, row_number() OVER by_number AS n, sum(coalesce(octet_length(o.payload::text), 0)) OVER by_number AS bytes
       FROM (
         SELECT ${OUTBOX_COLUMNS} FROM pawl.outbox o
         WHERE o.destination = $1 AND o.partition = $2 AND o.acknowledged_at IS NULL AND ${SESSION_OPEN}
           AND o.sequence > CASE WHEN $4::uuid IS DISTINCT FROM s.incarnation AND $4 IS NOT NULL THEN -1 ELSE $3::bigint END
         ORDER BY o.sequence LIMIT $5) o
       WINDOW by_number AS (ORDER BY o.sequence)) counted
     WHERE n = 1 OR bytes <= $6) m ON true
   WHERE s.destination = $1 AND s.partition = $2
   ORDER BY m.sequence`,
);

const PAYLOAD = statement(
  'feed_payload',
  `SELECT payload::text AS payload FROM pawl.outbox
   WHERE destination = $1 AND id = $2 AND claim_digest IS NOT NULL`,
);
