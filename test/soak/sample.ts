import type { TestService } from '../messaging/service-pair.js';

/** What the tables of both services hold at one moment. */
export interface Sample {
  /** Messages appended so far. */
  readonly sent: number;
  /** Rows of the effect table, outside Pawl's schema and without a key that would hide a second one. */
  readonly effects: number;
  /** Unacknowledged messages. */
  readonly outbox: number;
  /** Rows of incoming partitions, whatever has passed through them. */
  readonly inboxStreams: number;
  /** Closed numbers beyond a gap, and the ranges that hold them: all that deduplication remembers above the watermark. */
  readonly aboveWatermark: number;
  readonly rangesAbove: number;
  /** Rows of messages that failed or may have. */
  readonly attempts: number;
  readonly outboxBytes: number;
  readonly inboxBytes: number;
}

export async function takeSample(orders: TestService, shipping: TestService, sent: number): Promise<Sample> {
  const [[sender], [receiver]] = (await Promise.all([
    orders.dataSource.query(SENDER),
    shipping.dataSource.query(RECEIVER),
  ])) as [Partial<Sample>[], Partial<Sample>[]];
  return { sent, ...sender, ...receiver } as Sample;
}

/** Copies that were dropped, over all partitions. */
export async function duplicatesOf(shipping: TestService): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    'SELECT coalesce(sum(duplicates), 0)::integer AS n FROM pawl.inbox_stream',
  )) as { n: number }[];
  return row?.n ?? 0;
}

/** How many numbers took effect more than once. */
export async function doneTwice(shipping: TestService): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    'SELECT count(*)::integer AS n FROM (SELECT n FROM effect GROUP BY n HAVING count(*) > 1) twice',
  )) as { n: number }[];
  return row?.n ?? 0;
}

const SENDER = `
  SELECT count(*)::integer AS outbox,
    (pg_total_relation_size('pawl.outbox') + pg_total_relation_size('pawl.outbox_stream'))::integer AS "outboxBytes"
  FROM pawl.outbox`;

const RECEIVER = `
  SELECT (SELECT count(*) FROM effect)::integer AS effects,
    (SELECT count(*) FROM pawl.inbox_stream)::integer AS "inboxStreams",
    coalesce(sum(upper(range) - lower(range)), 0)::integer AS "aboveWatermark",
    count(range)::integer AS "rangesAbove",
    (SELECT count(*) FROM pawl.inbox_attempt)::integer AS attempts,
    (pg_total_relation_size('pawl.inbox_stream') + pg_total_relation_size('pawl.inbox_attempt'))::integer AS "inboxBytes"
  FROM pawl.inbox_stream, unnest(closed) AS range WHERE lower(range) > 0`;
