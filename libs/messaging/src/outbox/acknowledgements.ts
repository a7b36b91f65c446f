import { crashPoint, statement, type Transaction, type Transactions } from '@pawl/core';
import type { Acknowledgement } from '../acknowledgement.js';
import { groupBy } from '../group-by.js';
import { judgeAcknowledgement } from '../protocol/judge-acknowledgement.js';
import { streamEnds } from '../route.js';

/**
 * Takes acknowledgements in: deletes what they cover and opens the window. Idempotent, in any order, and several processes may do so at
 * once; those for another incarnation are counted in the partition's row and do nothing else.
 */
export class Acknowledgements {
  constructor(
    private readonly transactions: Transactions,
    private readonly options: { readonly service: string; readonly wakeRelay: () => void },
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
    const streams = await tx.query<StreamRow>(LOCK, [
      partitions.map(({ destination }) => destination),
      partitions.map(({ partition }) => partition),
    ]);
    const changes = streams.map((stream) =>
      changeOf(stream, byPartition.get(`${stream.destination}/${stream.partition}`) ?? []),
    );
    await tx.query(APPLY, [JSON.stringify(changes)]);
  }
}

interface StreamRow {
  readonly destination: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly receiver_incarnation: string | null;
  readonly next_sequence: string;
  readonly acknowledged: string;
}

interface StreamChange {
  readonly destination: string;
  readonly partition: number;
  readonly closed: string;
  readonly acknowledged: number;
  readonly closedEnd: number;
  readonly receiver: string | null;
  readonly ignored: number;
}

function destinationOf({ stream, partition }: Acknowledgement): { destination: string; partition: number } {
  return { destination: streamEnds(stream)?.to ?? '', partition };
}

function partitionKey(acknowledgement: Acknowledgement): string {
  const { destination, partition } = destinationOf(acknowledgement);
  return `${destination}/${partition}`;
}

/** Folds the acknowledgements of one partition, in their order, into one change of its row. */
function changeOf(stream: StreamRow, acknowledgements: readonly Acknowledgement[]): StreamChange {
  let receiver = stream.receiver_incarnation ?? undefined;
  let ignored = 0;
  let closed: Acknowledgement['closed'] | undefined;
  for (const acknowledgement of acknowledgements) {
    // Until sessions are opened, the newest receiver that speaks is the one to follow.
    const newest =
      receiver === undefined || acknowledgement.receiver > receiver ? acknowledgement.receiver : receiver;
    const { incarnation, next_sequence } = stream;
    const sender = { incarnation, nextSequence: Number(next_sequence), receiver: newest };
    if (judgeAcknowledgement(acknowledgement, sender) !== 'apply') {
      ignored++;
      continue;
    }
    // A newer receiver has what it says and nothing else.
    const sameReceiver = closed !== undefined && receiver === acknowledgement.receiver;
    closed = sameReceiver ? closed?.union(acknowledgement.closed) : acknowledgement.closed;
    receiver = acknowledgement.receiver;
  }
  return {
    destination: stream.destination,
    partition: stream.partition,
    closed: closed?.toString() ?? '{}',
    acknowledged: Math.max(Number(stream.acknowledged), closed?.watermark ?? 0),
    closedEnd: closed?.end ?? 0,
    receiver: receiver ?? null,
    ignored,
  };
}

/** In one order for everybody, so that two batches do not deadlock. */
const LOCK = statement(
  'acknowledgement_lock',
  `SELECT s.destination, s.partition, s.incarnation, s.receiver_incarnation, s.next_sequence, s.acknowledged
   FROM pawl.outbox_stream s
   JOIN unnest($1::text[], $2::integer[]) AS wanted (destination, partition) USING (destination, partition)
   ORDER BY s.destination, s.partition FOR NO KEY UPDATE OF s`,
);

/** Looks for rows from the former watermark on only: below it all are gone, and their index entries need not be passed again. */
const APPLY = statement(
  'acknowledgement_apply',
  `WITH change AS (
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS change (
       destination text, partition integer, closed int8multirange, acknowledged bigint, "closedEnd" bigint,
       receiver uuid, ignored integer)),
   gone AS (
     DELETE FROM pawl.outbox o
     USING change, pawl.outbox_stream s, LATERAL unnest(change.closed) AS range
     WHERE s.destination = change.destination AND s.partition = change.partition
       AND o.destination = change.destination AND o.partition = change.partition
       AND o.sequence >= greatest(lower(range), s.acknowledged) AND o.sequence < upper(range)
     RETURNING o.destination, o.partition),
   counted AS (
     SELECT destination, partition, count(*)::integer AS deleted FROM gone GROUP BY destination, partition)
   UPDATE pawl.outbox_stream s
   SET acknowledged = change.acknowledged,
     acknowledged_end = greatest(s.acknowledged_end, change."closedEnd"),
     progressed_at = CASE WHEN counted.deleted > 0 THEN now() ELSE s.progressed_at END,
     receiver_incarnation = change.receiver,
     ignored_acknowledgements = s.ignored_acknowledgements + change.ignored,
     unacknowledged = CASE WHEN change.acknowledged >= s.next_sequence THEN 0
       ELSE greatest(s.unacknowledged - coalesce(counted.deleted, 0), 0) END
   FROM change LEFT JOIN counted USING (destination, partition)
   WHERE s.destination = change.destination AND s.partition = change.partition`,
);
