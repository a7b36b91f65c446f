import { crashPoint, type Duty, RangeSet, statement, type Transaction, type Transactions } from '@pawl/core';
import { v4 } from 'uuid';
import { groupBy } from '../group-by.js';
import { mustBeginAnew } from '../protocol/begin-incarnation.js';
import { retransmissionDelay } from '../protocol/retransmission.js';
import { questionToWire } from '../session-delivery.js';
import type { Delivery, Transport } from '../transport/transport.js';
import { beginAnew } from './begin-anew.js';
import type { Publisher } from './publisher.js';
import {
  COMMANDED,
  COMMANDED_RESEND,
  SENDER_COLUMNS,
  type SenderRow,
  senderOf,
  streamOf,
} from './sender-row.js';

export interface SessionsOptions {
  readonly service: string;
  /** From the first question to the second; doubles each time. Milliseconds. */
  readonly firstIntervalMs: number;
  /** Where the doubling ends. Milliseconds. */
  readonly longestIntervalMs: number;
}

const PARTITIONS_PER_PASS_MAX = 100;
const EVERY_MS = 500;

/** Deliveries that wait at a destination, beyond which it is asked nothing. Far more than for copies: without a session no message goes. */
const BACKLOG_MAX = 100_000;

/**
 * Asks the receivers of this service's partitions what they have closed: before a partition gives its first number, again when the
 * database is another one than it was, and now and then while all is well. It asks at growing intervals until there is an answer.
 *
 * A question is safe to lose, to repeat and to delay; several processes may ask, for the nonce stands in the partition's row.
 */
export class Sessions implements Duty {
  readonly name = 'sessions';
  readonly everyMs: number;

  constructor(
    private readonly transactions: Transactions,
    private readonly bus: { readonly transport: Transport; readonly publisher: Publisher },
    private readonly options: SessionsOptions,
  ) {
    this.everyMs = Math.min(EVERY_MS, options.firstIntervalMs);
  }

  async pass(): Promise<number> {
    const asking = await this.transactions.run((tx) => this.take(tx));
    if (asking.length === 0) return 0;
    crashPoint('sessions.before-asking');
    const byDestination = groupBy(asking, ({ destination }) => destination);
    const free = await this.bus.publisher.uncongested([...byDestination.keys()], BACKLOG_MAX);
    for (const destination of free) {
      const questions = (byDestination.get(destination) ?? []).map((row) => this.questionOf(row));
      await this.bus.transport.publish(destination, questions);
    }
    return asking.length;
  }

  /** The question that is out for a partition, if one is: for its reader to find, who may have no bus. */
  async pending(destination: string, partition: number): Promise<Delivery[]> {
    const asking = await this.transactions.run((tx) =>
      tx.query<AskingRow>(PENDING, [destination, partition]),
    );
    return asking.map((row) => this.questionOf(row));
  }

  private async take(tx: Transaction): Promise<AskingRow[]> {
    const due = await tx.query<SenderRow>(LOCK_DUE, [PARTITIONS_PER_PASS_MAX]);
    if (due.length === 0) return [];
    const anew = due.filter((row) => mustBeginAnew(senderOf(row), row.storage_now));
    await this.beginAnew(tx, anew);
    return tx.query<AskingRow>(ASK, [
      due.map(({ destination }) => destination),
      due.map(({ partition }) => partition),
      due.map(() => v4()),
      due.map((row) => retransmissionDelay(anew.includes(row) ? 0 : row.asked, this.options)),
    ]);
  }

  private async beginAnew(tx: Transaction, rows: readonly SenderRow[]): Promise<void> {
    const { service } = this.options;
    for (const [storage, group] of groupBy(rows, (row) => row.storage)) {
      const commanded = storage === COMMANDED || storage === COMMANDED_RESEND;
      const reason = commanded ? 'command' : 'storage_changed';
      await beginAnew(tx, group, { service, reason, numbersReused: storage === COMMANDED_RESEND });
    }
  }

  private questionOf(row: AskingRow): Delivery {
    const { incarnation, receiver, previous, nonce } = senderOf(row);
    return {
      question: questionToWire({
        stream: streamOf(row, this.options.service),
        partition: row.partition,
        incarnation,
        nonce: nonce as string,
        ...(previous && { previous }),
        ...(receiver !== undefined && { receiver }),
        acknowledged: RangeSet.parse(row.acknowledged_numbers),
        gone: RangeSet.parse(row.gone_numbers),
      }),
    };
  }
}

interface AskingRow extends SenderRow {
  readonly acknowledged_numbers: string;
  readonly gone_numbers: string;
}

const LOCK_DUE = statement(
  'sessions_lock_due',
  `SELECT ${SENDER_COLUMNS} FROM pawl.outbox_stream s
   WHERE s.next_ask_at <= now() OR s.storage <> pawl.storage_state()
   ORDER BY s.destination, s.partition LIMIT $1
   FOR NO KEY UPDATE OF s SKIP LOCKED`,
);

const KNOWN_NUMBERS = `(given.numbers - rows.outstanding)::text AS acknowledged_numbers,
  (given.numbers - rows.present)::text AS gone_numbers`;

/** Which numbers of the partitions `asked` are given, there, and not acknowledged. */
const NUMBERS = `CROSS JOIN LATERAL (SELECT int8multirange(int8range(0, asked.next_sequence)) AS numbers) given
   CROSS JOIN LATERAL (
     SELECT coalesce(range_agg(int8range(o.sequence, o.sequence + 1)) FILTER (WHERE o.acknowledged_at IS NULL), '{}') AS outstanding,
       coalesce(range_agg(int8range(o.sequence, o.sequence + 1)), '{}') AS present
     FROM pawl.outbox o
     WHERE o.destination = asked.destination AND o.partition = asked.partition AND o.sequence IS NOT NULL) rows`;

/** A question that was not answered keeps its nonce: a slow answer to it is as good as one to the next. */
const ASK = statement(
  'sessions_ask',
  `WITH asked AS (
     UPDATE pawl.outbox_stream s
     SET nonce = coalesce(s.nonce, due.nonce), asked = s.asked + 1,
       next_ask_at = now() + due.delay * interval '1 millisecond'
     FROM unnest($1::text[], $2::integer[], $3::uuid[], $4::double precision[]) AS due (destination, partition, nonce, delay)
     WHERE s.destination = due.destination AND s.partition = due.partition
     RETURNING ${SENDER_COLUMNS})
   SELECT asked.*, ${KNOWN_NUMBERS} FROM asked ${NUMBERS}`,
);

const PENDING = statement(
  'sessions_pending',
  `SELECT asked.*, ${KNOWN_NUMBERS} FROM (
     SELECT ${SENDER_COLUMNS} FROM pawl.outbox_stream s
     WHERE s.destination = $1 AND s.partition = $2 AND s.nonce IS NOT NULL AND s.storage = pawl.storage_state()) asked
   ${NUMBERS}`,
);
