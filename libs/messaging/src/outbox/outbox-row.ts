import type { Json } from '@pawl/core';
import { type Envelope, payloadPath } from '../envelope.js';
import { type KeyOrder, streamName } from '../route.js';
import type { Delivery } from '../transport/transport.js';

/** A numbered row of the outbox, as relay and retransmitter read it. */
export interface OutboxRow {
  readonly position: string;
  readonly id: string;
  readonly destination: string;
  readonly partition: number;
  readonly key: string;
  readonly type: string;
  readonly version: number;
  /** Null too if it travels by reference. */
  readonly payload: Json;
  readonly traceparent: string | null;
  readonly key_order: KeyOrder | null;
  readonly created_at: Date;
  readonly sequence: string;
  readonly previous: string | null;
  readonly transmissions: number;
  /** Whether it waits for its reader instead of being published. */
  readonly pulled: boolean;
  /** Null: exactly once. */
  readonly guarantee: NonNullable<Envelope['guarantee']> | null;
  readonly claim_digest: string | null;
  readonly claim_bytes: number | null;
  readonly waived: boolean;
  readonly incarnation: string;
}

/** The columns of {@link OutboxRow}, of a row `o` and its stream `s`. */
export const OUTBOX_COLUMNS = `o.position, o.id, o.destination, o.partition, o.key, o.type, o.version,
  CASE WHEN o.claim_digest IS NULL THEN o.payload END AS payload, o.traceparent,
  o.key_order, o.created_at, o.sequence, o.previous, o.transmissions, o.pulled, o.guarantee, o.claim_digest, o.claim_bytes,
  o.waived_at IS NOT NULL AS waived, s.incarnation`;

/** What goes over the bus for a row: its message, or if that was waived, the question whether it took effect. */
export function deliveryOf(row: OutboxRow, service: string): Delivery {
  if (!row.waived) return envelopeOf(row, service);
  const { id, partition, incarnation, sequence } = row;
  const stream = streamName({ from: service, to: row.destination });
  return { settlement: { stream, partition, incarnation, sequence: Number(sequence), id } };
}

export function envelopeOf(row: OutboxRow, service: string): Envelope {
  const stream = streamName({ from: service, to: row.destination });
  return {
    specversion: '1.0',
    id: row.id,
    source: service,
    type: row.type,
    subject: row.key,
    time: row.created_at.toISOString(),
    datacontenttype: 'application/json',
    dataversion: row.version,
    stream,
    partition: row.partition,
    incarnation: row.incarnation,
    sequence: Number(row.sequence),
    transmission: row.transmissions,
    ...(row.key_order === null ? {} : { keyorder: row.key_order }),
    ...(row.previous === null ? {} : { previous: Number(row.previous) }),
    ...(row.guarantee === null ? {} : { guarantee: row.guarantee }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    data: row.payload,
    ...claimOf(row, stream),
  };
}

/** What travels in place of a payload that does not. */
function claimOf(
  { id, claim_digest, claim_bytes }: OutboxRow,
  stream: string,
): Pick<Envelope, 'dataref' | 'datadigest' | 'datasize'> {
  if (claim_digest === null || claim_bytes === null) return {};
  return { dataref: payloadPath({ stream, id }), datadigest: claim_digest, datasize: claim_bytes };
}
