import { crashPoint, statement, type Transaction, type Transactions } from '@pawl/core';
import { v7 } from 'uuid';
import { appendLosses } from '../loss.js';
import {
  type Answering,
  answerQuestion,
  type SessionAnswer,
  type SessionQuestion,
} from '../protocol/session.js';
import type { StreamPartition } from '../protocol/stream-address.js';
import { streamEnds } from '../route.js';
import { answerToWire } from '../session-delivery.js';
import type { Transport } from '../transport/transport.js';
import { lockIncarnations, openIncarnation } from './open-stream.js';

export interface SessionAnswererOptions {
  /** Told of an answer that could not be sent. */
  readonly onError: (error: unknown) => void;
  /** Told when this side turns out to have been set back. */
  readonly onSetBack: (what: string, where: StreamPartition) => void;
}

/**
 * Tells senders what is closed here, each time they ask. Opening a session ends the older incarnations of the sender. What is said is
 * committed before it is said; an answer that is lost is asked for again, and is the same.
 */
export class SessionAnswerer {
  constructor(
    private readonly transactions: Transactions,
    private readonly transport: Pick<Transport, 'publish'>,
    private readonly options: SessionAnswererOptions,
  ) {}

  /** Each in a transaction of its own. */
  async answer(questions: readonly SessionQuestion[]): Promise<void> {
    for (const question of questions) {
      const answer = await this.transactions.run((tx) => this.answerIn(tx, question));
      crashPoint('sessions.before-answer');
      const delivery = { answer: answerToWire(answer) };
      const sender = streamEnds(question.stream)?.from ?? '';
      await this.transport.publish(sender, [delivery]).catch(this.options.onError);
    }
  }

  private async answerIn(tx: Transaction, question: SessionQuestion): Promise<SessionAnswer> {
    const known = await lockIncarnations(tx, question);
    const answering = answerQuestion(question, known, v7());
    const { answer, stream, setBack, lost, compares } = answering;
    if (stream === undefined) return answer;
    if (known.some(({ incarnation }) => incarnation === stream.incarnation))
      await this.change(tx, question, answering);
    else {
      const previous = question.previous?.incarnation;
      await openIncarnation(tx, question, stream, { compares, previous, setBack });
    }
    await appendLosses(
      tx,
      lost.toRanges().map(([from, to]) => ({
        origin: 'message',
        type: 'unknown',
        subject: `${question.stream}/${question.partition}`,
        payload: { incarnation: question.incarnation, from, to },
        reason: 'receiver_set_back',
        detail: `Numbers ${from} to ${to - 1} were acknowledged by a state of this database that is lost; their sender has them no more.`,
      })),
    );
    if (setBack) {
      const former = known.find(({ incarnation }) => incarnation === stream.incarnation)?.receiver;
      await tx.query(RECORD, [v7(), question.stream, question.partition, stream.receiver, former ?? null]);
      tx.afterCommit(() =>
        this.options.onSetBack('This side was set back, and begins a new incarnation', question),
      );
    }
    return answer;
  }

  private async change(tx: Transaction, question: SessionQuestion, { stream }: Answering): Promise<void> {
    if (stream === undefined) return;
    const { incarnation, receiver, closed, settled } = stream;
    const values = [question.stream, question.partition, incarnation, receiver];
    await tx.query(CHANGE, [...values, closed.toString(), settled.toString()]);
  }
}

/** Writes nothing when nothing is new, which is nearly always. */
const CHANGE = statement(
  'session_change',
  `UPDATE pawl.inbox_stream
   SET receiver_incarnation = $4, closed = $5::int8multirange, settled = $6::int8multirange
   WHERE stream = $1 AND partition = $2 AND incarnation = $3
     AND (receiver_incarnation, closed, settled) IS DISTINCT FROM ($4::uuid, $5::int8multirange, $6::int8multirange)`,
);

/** Most rows of `pawl.incarnation`. */
const RECORDS_MAX = 1_000;

const RECORD = statement(
  'session_record',
  `WITH old AS (
     DELETE FROM pawl.incarnation
     WHERE id < (SELECT id FROM pawl.incarnation ORDER BY id DESC OFFSET ${RECORDS_MAX} LIMIT 1))
   INSERT INTO pawl.incarnation (id, side, stream, partition, incarnation, previous, reason)
   VALUES ($1, 'receiver', $2, $3, $4, $5, 'receiver_set_back')`,
);
