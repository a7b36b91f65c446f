import { crashPoint, statement, type Transaction, type Transactions } from '@pawl/core';
import { appendLosses } from '../loss.js';
import { carryOver, mustBeginAnew } from '../protocol/begin-incarnation.js';
import { judgeAnswer, type SessionAnswer } from '../protocol/session.js';
import type { StreamPartition } from '../protocol/stream-address.js';
import { streamEnds } from '../route.js';
import { applyClosed } from './apply-closed.js';
import { beginAnew } from './begin-anew.js';
import { SENDER_COLUMNS, type SenderRow, senderOf } from './sender-row.js';
import { waivedLoss, type WaivedRow } from './waived-loss.js';

export interface SessionAnswersOptions {
  readonly service: string;
  /** How long acknowledged messages are kept. Milliseconds. */
  readonly restoreWindowMs: number;
  /** When an open session is asked about again. Milliseconds. */
  readonly keepAliveMs: number;
  readonly wakeRelay: () => void;
  readonly wakeSessions: () => void;
  /** Told when one of the two sides turns out to have been set back. */
  readonly onSetBack: (what: string, where: StreamPartition) => void;
}

/**
 * Takes the answers of receivers in: opens sessions, so that numbers are given, and finds out which side was set back. An answer to
 * another question than the last does nothing.
 */
export class SessionAnswers {
  constructor(
    private readonly transactions: Transactions,
    private readonly options: SessionAnswersOptions,
  ) {}

  /** Each in a transaction of its own. What is lost by an error is asked again. */
  async apply(answers: readonly SessionAnswer[]): Promise<void> {
    for (const answer of answers) {
      await this.transactions.run(async (tx) => {
        await this.applyIn(tx, answer);
        crashPoint('sessions.before-opening');
      });
    }
  }

  private async applyIn(tx: Transaction, answer: SessionAnswer): Promise<void> {
    const place = [streamEnds(answer.stream)?.to, answer.partition];
    const [row] = await tx.query<SenderRow>(LOCK, place);
    if (row === undefined) return;
    const sender = senderOf(row);
    const judged = judgeAnswer(answer, sender);
    // On another state of the database even the nonce may be one of the past.
    if (judged.verdict === 'stale' || mustBeginAnew(sender, row.storage_now)) return;
    const { service, onSetBack } = this.options;
    if (judged.verdict !== 'open') {
      const { newest } = answer;
      const reason = judged.verdict === 'superseded' ? 'superseded' : 'never_sent';
      await beginAnew(tx, [row], { service, reason, newest, numbersReused: row.open });
      tx.afterCommit(() => onSetBack('This side was set back, and begins a new incarnation', answer));
      tx.afterCommit(this.options.wakeSessions);
      return;
    }
    if (judged.senderWasSetBack) {
      await tx.query(SET_BACK, [row.incarnation]);
      tx.afterCommit(() => onSetBack('This side was set back, and has begun a new incarnation', answer));
    }
    if (judged.receiverIsNew)
      tx.afterCommit(() => onSetBack('The receiver was set back; what is kept is sent again', answer));
    if (!row.open) await this.carry(tx, row, answer);
    else if (judged.receiverIsNew)
      await tx.query(SEND_AGAIN, [...place, answer.closed.toString(), answer.closed.watermark]);
    await tx.query(OPENED, [...place, answer.receiver, this.options.keepAliveMs]);
    await this.applyClosed(tx, row, answer, judged);
    tx.afterCommit(this.options.wakeRelay);
  }

  /** Messages with numbers of the incarnation before are done, or get new ones. */
  private async carry(tx: Transaction, row: SenderRow, answer: SessionAnswer): Promise<void> {
    const rows = await tx.query<NumberedRow>(NUMBERED, [row.destination, row.partition]);
    const carried = rows.map((each) => ({ ...each, sequence: Number(each.sequence) }));
    const { done, unseen, again } = carryOver(carried, answer);
    await appendLosses(tx, unseen.map(waivedLoss));
    await tx.query(CARRY_KEPT, [row.destination, row.partition, answer.previousClosed.toString()]);
    await tx.query(CARRY, [
      [...done, ...unseen].map(({ position }) => position),
      again.map(({ position }) => position),
    ]);
  }

  private async applyClosed(
    tx: Transaction,
    row: SenderRow,
    { closed }: SessionAnswer,
    { receiverIsNew }: { readonly receiverIsNew: boolean },
  ): Promise<void> {
    if (closed.size === 0) return;
    const { destination, partition } = row;
    const change = { destination, partition, closed: closed.toString(), ignored: 0, ask: false };
    // Less than was known if the receiver was set back.
    const acknowledged = receiverIsNew
      ? closed.watermark
      : Math.max(closed.watermark, Number(row.open ? row.acknowledged : 0));
    const marks = { acknowledged, closedEnd: closed.end };
    await applyClosed(tx, [{ ...change, ...marks }], this.options);
  }
}

interface NumberedRow extends WaivedRow {
  readonly position: string;
  readonly sequence: string;
}

const LOCK = statement(
  'session_answer_lock',
  `SELECT ${SENDER_COLUMNS} FROM pawl.outbox_stream s WHERE s.destination = $1 AND s.partition = $2 FOR NO KEY UPDATE OF s`,
);

const SET_BACK = statement(
  'session_set_back',
  `UPDATE pawl.incarnation SET reason = 'sender_set_back' WHERE incarnation = $1`,
);

const NUMBERED = statement(
  'session_numbered',
  `SELECT position, sequence, id, type, key, CASE WHEN waived_at IS NOT NULL THEN payload END AS payload, waived_at IS NOT NULL AS waived, waived_by, waived_reason
   FROM pawl.outbox WHERE destination = $1 AND partition = $2 AND sequence IS NOT NULL AND acknowledged_at IS NULL`,
);

/** As \`carryOver\` decides, of what was kept: a receiver that still has it needs it no more, one that lost it gets it again. */
const CARRY_KEPT = statement(
  'session_carry_kept',
  `WITH confirmed AS (
     DELETE FROM pawl.outbox
     WHERE destination = $1 AND partition = $2 AND acknowledged_at IS NOT NULL AND sequence <@ $3::int8multirange)
   UPDATE pawl.outbox SET sequence = NULL, previous = NULL, acknowledged_at = NULL, next_publish_at = NULL
   WHERE destination = $1 AND partition = $2 AND acknowledged_at IS NOT NULL AND NOT sequence <@ $3::int8multirange`,
);

const CARRY = statement(
  'session_carry',
  `WITH gone AS (DELETE FROM pawl.outbox WHERE position = ANY ($1::bigint[]))
   UPDATE pawl.outbox SET sequence = NULL, previous = NULL, next_publish_at = NULL WHERE position = ANY ($2::bigint[])`,
);

/** The receiver's own account is the one that counts now, also where it is less than was known. */
const SEND_AGAIN = statement(
  'session_send_again',
  `WITH again AS (
     UPDATE pawl.outbox SET acknowledged_at = NULL, next_publish_at = now()
     WHERE destination = $1 AND partition = $2 AND acknowledged_at IS NOT NULL AND NOT $3::int8multirange @> sequence
     RETURNING 1)
   UPDATE pawl.outbox_stream
   SET unacknowledged = unacknowledged + (SELECT count(*) FROM again)::integer, acknowledged = least(acknowledged, $4),
     progressed_at = now() - interval '1 hour'
   WHERE destination = $1 AND partition = $2`,
);

const OPENED = statement(
  'session_opened',
  `UPDATE pawl.outbox_stream
   SET opened_at = coalesce(opened_at, now()), nonce = NULL, asked = 0, receiver_incarnation = $3,
     next_ask_at = now() + $4 * interval '1 millisecond', previous_incarnation = NULL, previous_next_sequence = NULL
   WHERE destination = $1 AND partition = $2`,
);
