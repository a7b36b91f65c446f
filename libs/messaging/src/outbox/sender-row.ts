import type { SenderIncarnation } from '../protocol/begin-incarnation.js';
import type { SenderStream } from '../protocol/session.js';
import { streamName } from '../route.js';

/** An outgoing partition, read under the lock of its row. */
export interface SenderRow {
  readonly destination: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly next_sequence: string;
  readonly receiver_incarnation: string | null;
  readonly nonce: string | null;
  readonly asked: number;
  readonly previous_incarnation: string | null;
  readonly previous_next_sequence: string | null;
  readonly acknowledged: string;
  /** On which state of the database it began, and which this is. */
  readonly storage: string;
  readonly storage_now: string;
  /** Whether its session is open. */
  readonly open: boolean;
}

/** What stands for a state of the database when a person has asked for a new incarnation, with the numbers trusted or not. */
export const COMMANDED = 'command';
export const COMMANDED_RESEND = 'command, resend all';

/** Whether the session of a stream `s` is open: answered, and on this very state of the database. */
export const SESSION_OPEN = `(s.opened_at IS NOT NULL AND s.storage = pawl.storage_state())`;

/** The columns of {@link SenderRow}, of a stream `s`. */
export const SENDER_COLUMNS = `s.destination, s.partition, s.incarnation, s.next_sequence, s.receiver_incarnation, s.nonce, s.asked,
  s.previous_incarnation, s.previous_next_sequence, s.acknowledged, s.storage, pawl.storage_state() AS storage_now,
  ${SESSION_OPEN} AS open`;

/** The row as the protocol sees it. */
export function senderOf(row: SenderRow): SenderStream & SenderIncarnation {
  return {
    incarnation: row.incarnation,
    nextSequence: Number(row.next_sequence),
    receiver: row.receiver_incarnation ?? undefined,
    nonce: row.nonce ?? undefined,
    previous:
      row.previous_incarnation === null
        ? undefined
        : { incarnation: row.previous_incarnation, nextSequence: Number(row.previous_next_sequence) },
    storage: row.storage,
  };
}

export function streamOf({ destination }: SenderRow, service: string): string {
  return streamName({ from: service, to: destination });
}
