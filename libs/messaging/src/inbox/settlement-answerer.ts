import { crashPoint, RangeSet, statement, type Transaction, type Transactions } from '@pawl/core';
import { groupBy } from '../group-by.js';
import { settle } from '../protocol/settlement.js';
import { streamEnds } from '../route.js';
import { type SettlementAnswer, type SettlementQuestion, settlementToWire } from '../settlement-delivery.js';
import type { Transport } from '../transport/transport.js';
import { lockStream, partitionName } from './inbox-stream.js';
import { recentIds } from './recent-ids.js';

export interface SettlementAnswererOptions {
  /** Ranges that a partition's row may hold. */
  readonly rangesMax: number;
  /** Told of an answer that could not be sent. */
  readonly onError: (error: unknown) => void;
}

/**
 * Answers senders that ask whether a waived message took effect. What did not is closed in the same transaction, under the lock that
 * handling takes too: a copy in flight either came before, and the answer is `handled`, or is dropped. An answer that is lost is asked
 * for again, and is the same.
 */
export class SettlementAnswerer {
  constructor(
    private readonly transactions: Transactions,
    private readonly transport: Pick<Transport, 'publish'>,
    private readonly options: SettlementAnswererOptions,
  ) {}

  async answer(questions: readonly SettlementQuestion[]): Promise<void> {
    for (const group of groupBy(questions, partitionName).values()) {
      const answer = await this.transactions.run((tx) => this.answerIn(tx, group));
      crashPoint('settlement.before-answer');
      if (answer === undefined) continue;
      const sender = streamEnds(answer.stream)?.from ?? '';
      await this.transport
        .publish(sender, [{ settled: settlementToWire(answer) }])
        .catch(this.options.onError);
    }
  }

  private async answerIn(
    tx: Transaction,
    questions: readonly SettlementQuestion[],
  ): Promise<SettlementAnswer | undefined> {
    const { stream, partition, incarnation } = questions[0] as SettlementQuestion;
    const address = { stream, partition, incarnation };
    const locked = await lockStream(tx, address, []);
    // The sender asks again under its newer incarnation.
    if (locked === undefined || locked.superseded) return undefined;
    const numbers = [...new Set(questions.map(({ sequence }) => sequence))];
    const { handled, unseen, closing } = settle(locked, numbers, this.options);
    const ids = questions.map(({ id }) => id);
    const seen = locked.compares ? await recentIds(tx, address, ids) : new Set<string>();
    const recognised = questions.filter(({ id }) => seen.has(id)).map(({ sequence }) => sequence);
    const late = RangeSet.of(...handled, ...recognised.filter((number) => unseen.includes(number)));
    const never = RangeSet.of(...unseen).minus(late);
    const settled = RangeSet.of(...closing).minus(late);
    const sets = [RangeSet.of(...closing), settled].map(String);
    if (closing.length > 0) await tx.query(CLOSE, [stream, partition, incarnation, ...sets]);
    return { ...address, receiver: locked.receiver, handled: late, unseen: never };
  }
}

const CLOSE = statement(
  'settlement_close',
  `WITH forgotten AS (
     DELETE FROM pawl.inbox_attempt
     WHERE stream = $1 AND partition = $2 AND incarnation = $3 AND sequence <@ $4::int8multirange)
   UPDATE pawl.inbox_stream SET closed = closed + $4::int8multirange, settled = settled + $5::int8multirange
   WHERE stream = $1 AND partition = $2 AND incarnation = $3`,
);
