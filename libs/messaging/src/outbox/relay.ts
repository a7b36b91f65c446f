import { crashPoint, type Duty, invariant, statement, type Transaction, type Transactions } from '@pawl/core';
import { v7 } from 'uuid';
import { type Numbering, numbersToGive } from '../protocol/give-numbers.js';
import { OUTBOX_COLUMNS, type OutboxRow } from './outbox-row.js';
import type { Publisher } from './publisher.js';
import { SESSION_OPEN } from './sender-row.js';
import type { Sessions } from './sessions.js';

export interface RelayOptions {
  /** Most numbered, unacknowledged messages per partition. */
  readonly window: number;
  /** When a message is published again if nobody acknowledges it. Milliseconds. */
  readonly firstIntervalMs: number;
}

/** Most rows of one partition that one pass numbers, and most partitions it serves. */
const ROWS_PER_PARTITION_MAX = 100;
const PARTITIONS_PER_PASS_MAX = 32;
const EVERY_MS = 1_000;

/**
 * Numbers what the outbox holds and sends it for the first time. Several may run: the lock on a partition's row decides who numbers it.
 *
 * The numbers are committed before anything is published (else a relay that dies in between leaves a published number to be given to
 * another message), and none before the partition's session is open. Publishing needs no lock: whoever publishes number 7 publishes the same message. A crash after the commit costs
 * the first interval: then the retransmitter sends what is numbered.
 */
export class OutboxRelay implements Duty {
  readonly name = 'outbox relay';
  readonly everyMs = EVERY_MS;

  constructor(
    private readonly transactions: Transactions,
    private readonly publisher: Publisher,
    private readonly sessions: Sessions,
    private readonly options: RelayOptions,
  ) {}

  async pass(): Promise<number> {
    const { rows, met } = await this.transactions.run((tx) => this.number(tx));
    const asked = met === 0 ? 0 : await this.sessions.pass();
    if (rows.length === 0) return asked;
    crashPoint('relay.after-numbering');
    await this.publisher.publish(rows);
    crashPoint('relay.after-publish');
    return rows.length;
  }

  /** Takes the free partitions among those with work and room, and gives numbers; skips what another relay is at. */
  private async number(tx: Transaction): Promise<{ rows: OutboxRow[]; met: number }> {
    const pending = await tx.query<Pending>(PENDING, [this.options.window, PARTITIONS_PER_PASS_MAX]);
    const fresh = pending.filter(({ known }) => !known);
    if (fresh.length > 0) await tx.query(MEET, [...columns(fresh), fresh.map(() => v7())]);
    const known = pending.filter((each) => each.known);
    const locked = known.length === 0 ? [] : await tx.query<Stream>(LOCK, columns(known));
    if (locked.length === 0) return { rows: [], met: fresh.length };
    // A statement of its own: its snapshot is taken under the lock, so it sees all numbers that were given before.
    const rows = await tx.query<OutboxRow>(NUMBER, [
      ...columns(locked),
      locked.map((stream) => numbersToGive(stream, { ...this.options, atOnce: ROWS_PER_PARTITION_MAX })),
      this.options.firstIntervalMs,
    ]);
    assertDense(locked, rows);
    return { rows, met: fresh.length };
  }
}

interface Partition {
  readonly destination: string;
  readonly partition: number;
}
type Pending = Partition & { readonly known: boolean };
type Stream = Partition & Numbering & { readonly next_sequence: string };

function columns(partitions: readonly Partition[]): [string[], number[]] {
  return [partitions.map(({ destination }) => destination), partitions.map(({ partition }) => partition)];
}

function assertDense(streams: readonly Stream[], rows: readonly OutboxRow[]): void {
  for (const { destination, partition, next_sequence } of streams) {
    const numbers = rows
      .filter((row) => row.destination === destination && row.partition === partition)
      .map(({ sequence }) => Number(sequence))
      .sort((a, b) => a - b);
    const dense = numbers.every((number, n) => number === Number(next_sequence) + n);
    invariant(dense, 'The numbers of an outbox partition have a gap.', {
      destination,
      partition,
      next_sequence,
    });
  }
}

/** Hops from partition to partition on the index of unnumbered rows, so its cost does not grow with the backlog. */
const PENDING = statement(
  'relay_pending',
  `WITH RECURSIVE pending AS (
     (SELECT destination, partition FROM pawl.outbox WHERE sequence IS NULL ORDER BY destination, partition LIMIT 1)
     UNION ALL
     SELECT following.destination, following.partition
     FROM pending, LATERAL (
       SELECT o.destination, o.partition FROM pawl.outbox o
       WHERE o.sequence IS NULL AND (o.destination, o.partition) > (pending.destination, pending.partition)
       ORDER BY o.destination, o.partition LIMIT 1) following)
   SELECT pending.destination, pending.partition, s.destination IS NOT NULL AS known
   FROM pending LEFT JOIN pawl.outbox_stream s USING (destination, partition)
   WHERE s.destination IS NULL OR (s.unacknowledged < $1 AND ${SESSION_OPEN})
   ORDER BY random() LIMIT $2`,
);

/** A partition that has no session yet: {@link Sessions} asks for it. */
const MEET = statement(
  'relay_meet',
  `INSERT INTO pawl.outbox_stream (destination, partition, incarnation)
   SELECT * FROM unnest($1::text[], $2::integer[], $3::uuid[]) AS fresh (destination, partition, incarnation)
   ORDER BY destination, partition
   ON CONFLICT DO NOTHING`,
);

const LOCK = statement(
  'relay_lock',
  `SELECT s.destination, s.partition, s.unacknowledged, s.next_sequence, ${SESSION_OPEN} AS open
   FROM pawl.outbox_stream s
   JOIN unnest($1::text[], $2::integer[]) AS wanted (destination, partition) USING (destination, partition)
   FOR NO KEY UPDATE OF s SKIP LOCKED`,
);

/**
 * Ordered messages get the number before theirs of the same key: in this batch, or the highest that is still out. If none is out, all
 * were acknowledged, so they are closed at the receiver and there is nothing to wait for.
 */
const NUMBER = statement(
  'relay_number',
  `WITH chosen AS (
     SELECT o.position, o.key, o.key_order, s.destination, s.partition, s.incarnation,
       s.next_sequence - 1 + row_number() OVER (PARTITION BY s.destination, s.partition ORDER BY o.position) AS sequence
     FROM unnest($1::text[], $2::integer[], $3::integer[]) AS locked (destination, partition, room)
     JOIN pawl.outbox_stream s USING (destination, partition)
     CROSS JOIN LATERAL (
       SELECT u.position, u.key, u.key_order FROM pawl.outbox u
       WHERE u.destination = s.destination AND u.partition = s.partition AND u.sequence IS NULL
       ORDER BY u.position LIMIT locked.room) o),
   ordered AS (
     SELECT c.position, c.destination, c.partition, c.incarnation, c.sequence,
       CASE WHEN c.key_order IS NOT NULL THEN coalesce(
         lag(c.sequence) OVER (
           PARTITION BY c.destination, c.partition, CASE WHEN c.key_order IS NOT NULL THEN c.key END ORDER BY c.sequence),
         (SELECT max(p.sequence) FROM pawl.outbox p
          WHERE p.destination = c.destination AND p.partition = c.partition AND p.key = c.key
            AND p.key_order IS NOT NULL AND p.sequence IS NOT NULL)) END AS previous
     FROM chosen c),
   numbered AS (
     UPDATE pawl.outbox o
     SET sequence = s.sequence, previous = s.previous, transmissions = 1,
       next_publish_at = CASE WHEN NOT o.pulled THEN now() + $4 * interval '1 millisecond' END
     FROM ordered s WHERE o.position = s.position
     RETURNING ${OUTBOX_COLUMNS}),
   counted AS (
     SELECT destination, partition, count(*)::integer AS given FROM numbered GROUP BY destination, partition),
   moved AS (
     UPDATE pawl.outbox_stream s
     SET next_sequence = s.next_sequence + given, unacknowledged = s.unacknowledged + given,
       progressed_at = CASE WHEN s.unacknowledged = 0 THEN now() ELSE s.progressed_at END
     FROM counted WHERE s.destination = counted.destination AND s.partition = counted.partition)
   SELECT * FROM numbered`,
);
