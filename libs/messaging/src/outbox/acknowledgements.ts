import { crashPoint, RangeSet, statement, type Transaction, type Transactions } from '@pawl/core';
import type { Acknowledgement } from '../acknowledgement.js';
import { groupBy } from '../group-by.js';
import { judgeAcknowledgement } from '../protocol/judge-acknowledgement.js';
import type { StreamPartition } from '../protocol/stream-address.js';
import { streamEnds } from '../route.js';
import { applyClosed, type ClosedChange } from './apply-closed.js';
import { beginAnew } from './begin-anew.js';
import { SENDER_COLUMNS, type SenderRow, senderOf, streamOf } from './sender-row.js';

export interface AcknowledgementsOptions {
  readonly service: string;
  /** How long acknowledged messages are kept. Milliseconds. */
  readonly restoreWindowMs: number;
  readonly wakeRelay: () => void;
  readonly wakeSessions: () => void;
  /** Told when an acknowledgement proves that this side was set back. */
  readonly onSetBack: (what: string, where: StreamPartition) => void;
}

/**
 * Takes acknowledgements in: deletes what they cover and opens the window. Idempotent, in any order, and several processes may do so at
 * once; those for another incarnation are counted in the partition's row and do nothing else.
 */
export class Acknowledgements {
  constructor(
    private readonly transactions: Transactions,
    private readonly options: AcknowledgementsOptions,
  ) {}

  /** One transaction for all of them. What is lost by an error comes again with the next acknowledgement. */
  async apply(acknowledgements: readonly Acknowledgement[]): Promise<void> {
    const ours = acknowledgements.filter(({ stream }) => streamEnds(stream)?.from === this.options.service);
    if (ours.length === 0) return;
    await this.transactions.run(async (tx) => {
      await this.applyIn(tx, groupBy(ours, partitionKey));
      crashPoint('acknowledgements.before-commit');
      tx.afterCommit(this.options.wakeRelay);
    });
  }

  private async applyIn(tx: Transaction, byPartition: Map<string, Acknowledgement[]>): Promise<void> {
    const partitions = [...byPartition.values()].map(([first]) => destinationOf(first as Acknowledgement));
    const streams = await tx.query<SenderRow>(LOCK, [
      partitions.map(({ destination }) => destination),
      partitions.map(({ partition }) => partition),
    ]);
    const changes = streams.map((stream) =>
      changeOf(stream, byPartition.get(`${stream.destination}/${stream.partition}`) ?? []),
    );
    await applyClosed(tx, changes, this.options);
    await this.beginAnew(
      tx,
      streams.filter((_, n) => changes[n]?.neverSent),
    );
    if (changes.some(({ ask, neverSent }) => ask || neverSent)) tx.afterCommit(this.options.wakeSessions);
  }

  private async beginAnew(tx: Transaction, rows: readonly SenderRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { service, onSetBack } = this.options;
    for (const numbersReused of [true, false]) {
      const group = rows.filter(({ open }) => open === numbersReused);
      await beginAnew(tx, group, { service, reason: 'never_sent', numbersReused });
    }
    for (const row of rows) {
      const where = { stream: streamOf(row, service), partition: row.partition };
      tx.afterCommit(() => onSetBack('This side was set back, and begins a new incarnation', where));
    }
  }
}

function destinationOf({ stream, partition }: Acknowledgement): { destination: string; partition: number } {
  return { destination: streamEnds(stream)?.to ?? '', partition };
}

function partitionKey(acknowledgement: Acknowledgement): string {
  const { destination, partition } = destinationOf(acknowledgement);
  return `${destination}/${partition}`;
}

interface Folded extends ClosedChange {
  /** Numbers are closed that were never given: this side was set back. */
  readonly neverSent: boolean;
}

/** Folds the acknowledgements of one partition, in their order, into one change of its row. */
function changeOf(row: SenderRow, acknowledgements: readonly Acknowledgement[]): Folded {
  const verdicts = acknowledgements.map((acknowledgement) => ({
    closed: acknowledgement.closed,
    verdict: judgeAcknowledgement(acknowledgement, senderOf(row)),
  }));
  const applied = verdicts.filter(({ verdict }) => verdict === 'apply');
  const closed = applied.reduce((all, each) => all.union(each.closed), RangeSet.empty);
  return {
    destination: row.destination,
    partition: row.partition,
    closed: closed.toString(),
    acknowledged: Math.max(Number(row.acknowledged), closed.watermark),
    closedEnd: closed.end,
    ignored: verdicts.length - applied.length,
    ask: verdicts.some(({ verdict }) => verdict === 'newer-receiver'),
    neverSent: verdicts.some(({ verdict }) => verdict === 'never-sent'),
  };
}

/** In one order for everybody, so that two batches do not deadlock. */
const LOCK = statement(
  'acknowledgement_lock',
  `SELECT ${SENDER_COLUMNS}
   FROM pawl.outbox_stream s
   JOIN unnest($1::text[], $2::integer[]) AS wanted (destination, partition) USING (destination, partition)
   ORDER BY s.destination, s.partition FOR NO KEY UPDATE OF s`,
);
