import { PawlError, statement } from '@pawl/core';
import type { Instruction, RunSql } from './dead-letter/dead-letters.js';
import { isUuid } from './envelope.js';
import { COMMANDED, COMMANDED_RESEND } from './outbox/sender-row.js';
import { isServiceName } from './route.js';

/** One partition of a stream, as one of its ends sees it. */
export interface StreamState {
  readonly side: 'sender' | 'receiver';
  /** The service at the other end. */
  readonly other: string;
  readonly partition: number;
  /** The sender's. */
  readonly incarnation: string;
  /** The receiver's; null before the first answer. */
  readonly receiver: string | null;
  /** `open`, `asking`, `superseded`. */
  readonly session: 'open' | 'asking' | 'superseded';
  /** Numbers given, of the sender; ranges closed, of the receiver. */
  readonly numbers: string;
  /** Messages that are out, of the sender; copies of older sessions that were refused, of the receiver. */
  readonly count: number;
}

/** An incarnation that began after the first one. */
export interface IncarnationRecord {
  readonly side: 'sender' | 'receiver';
  readonly stream: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly previous: string | null;
  readonly reason: string;
  readonly beganAt: Date;
}

/** Messages that one request may name, and rows that one list shows. */
const REQUESTED_MAX = 100;
const LISTED_MAX = 1_000;

/**
 * What a person looks at and does about streams, from anywhere that reaches a service's database. What is asked for is a mark in the rows:
 * the service carries it out within moments.
 */
export class MessageStreams {
  constructor(private readonly sql: RunSql) {}

  /** Outgoing partitions, then incoming ones; at most 1,000 of each. */
  async list(): Promise<StreamState[]> {
    return [
      ...(await this.sql<StreamState>(OUTGOING, [LISTED_MAX])),
      ...(await this.sql<StreamState>(INCOMING, [LISTED_MAX])),
    ];
  }

  /** The newest first, at most 100: restarts of the database, restores, commands. */
  async incarnations(): Promise<IncarnationRecord[]> {
    return this.sql<IncarnationRecord>(INCARNATIONS, [REQUESTED_MAX]);
  }

  /**
   * Waives outgoing messages: they are published no more, and the receiver is asked whether a copy took effect. If it did, nothing else
   * happens; if it did not, it never will, and that is a row of the loss ledger with actor and reason. Until the answer the message is
   * in the outbox. Answers the ids that are waived now: in the outbox, not acknowledged, not waived before.
   * @throws PawlError `message_request_invalid`
   */
  async waive(ids: readonly string[], { actor, reason }: Instruction): Promise<string[]> {
    if (ids.length === 0 || ids.length > REQUESTED_MAX) throw invalid(`name 1 to ${REQUESTED_MAX} messages`);
    const wrong = ids.find((id) => !isUuid(id));
    if (wrong !== undefined) throw invalid(`'${String(wrong).slice(0, 50)}' is not the id of a message`);
    checkText('actor', actor, 200);
    checkText('reason', reason, 1_000);
    return (await this.sql<{ id: string }>(WAIVE, [ids, actor, reason])).map(({ id }) => id);
  }

  /**
   * Makes the outgoing streams to a service, or to all, begin a new incarnation: after a restore that nothing can notice (a virtual machine
   * that was set back while it ran, rows that were copied back by hand), before the service runs again. `resendAll` if it has run since:
   * numbers given since then may stand for two messages, so all are sent again, and a receiver can tell them by their ids only within
   * its restore window. Answers how many partitions do.
   * @throws PawlError `message_request_invalid`
   */
  async beginAnew({ to, resendAll = false }: { to?: string; resendAll?: boolean } = {}): Promise<number> {
    if (to !== undefined && !isServiceName(to))
      throw invalid(`'${to.slice(0, 70)}' is not the name of a service`);
    const mark = resendAll ? COMMANDED_RESEND : COMMANDED;
    return (await this.sql(BEGIN_ANEW, [to ?? null, mark])).length;
  }
}

const OUTGOING = statement(
  'streams_outgoing',
  `SELECT 'sender' AS side, destination AS other, partition, incarnation, receiver_incarnation AS receiver,
     CASE WHEN opened_at IS NOT NULL AND storage = pawl.storage_state() THEN 'open' ELSE 'asking' END AS session,
     next_sequence::text AS numbers, unacknowledged AS count
   FROM pawl.outbox_stream ORDER BY destination, partition LIMIT $1`,
);

const INCOMING = statement(
  'streams_incoming',
  `SELECT 'receiver' AS side, split_part(stream, '.', 1) AS other, partition, incarnation, receiver_incarnation AS receiver,
     CASE WHEN superseded_at IS NULL THEN 'open' ELSE 'superseded' END AS session, closed::text AS numbers, refused::integer AS count
   FROM pawl.inbox_stream ORDER BY stream, partition, incarnation LIMIT $1`,
);

const INCARNATIONS = statement(
  'streams_incarnations',
  `SELECT side, stream, partition, incarnation, previous, reason, began_at AS "beganAt"
   FROM pawl.incarnation ORDER BY id DESC LIMIT $1`,
);

/** A mark only: whoever is about to publish the message publishes one more copy, and the receiver decides under its lock. */
const WAIVE = statement(
  'streams_waive',
  `UPDATE pawl.outbox
   SET waived_at = now(), waived_by = $2, waived_reason = $3,
     next_publish_at = CASE WHEN sequence IS NOT NULL THEN now() END
   WHERE id = ANY ($1::uuid[]) AND waived_at IS NULL AND acknowledged_at IS NULL
   RETURNING id`,
);

const BEGIN_ANEW = statement(
  'streams_begin_anew',
  `UPDATE pawl.outbox_stream SET storage = $2, next_ask_at = now() WHERE $1::text IS NULL OR destination = $1 RETURNING partition`,
);

function checkText(name: string, text: string, lengthMax: number): void {
  if (text.trim() === '' || text.length > lengthMax || /[\p{Cc}\p{Cs}]/u.test(text))
    throw invalid(`${name} is not a text of 1 to ${lengthMax} characters`);
}

function invalid(why: string): PawlError {
  return new PawlError('message_request_invalid', `Messages: ${why}.`);
}
