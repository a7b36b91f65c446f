import { crashPoint, type RangeSet, statement, type Transaction, type Transactions } from '@pawl/core';
import { appendLosses } from '../loss.js';
import { judgeAcknowledgement } from '../protocol/judge-acknowledgement.js';
import { streamEnds } from '../route.js';
import type { SettlementAnswer } from '../settlement-delivery.js';
import { SENDER_COLUMNS, type SenderRow, senderOf } from './sender-row.js';
import { waivedLoss, type WaivedRow } from './waived-loss.js';

/**
 * Takes in what receivers say of waived messages: one that took effect is done, one that did not enters the loss ledger. Either way its
 * row goes in the same transaction, so a second answer finds nothing.
 */
export class Settlements {
  constructor(
    private readonly transactions: Transactions,
    private readonly options: { readonly wakeRelay: () => void; readonly wakeSessions: () => void },
  ) {}

  async apply(answers: readonly SettlementAnswer[]): Promise<void> {
    for (const answer of answers) {
      await this.transactions.run(async (tx) => {
        await this.applyIn(tx, answer);
        crashPoint('settlements.before-commit');
        tx.afterCommit(this.options.wakeRelay);
      });
    }
  }

  private async applyIn(tx: Transaction, answer: SettlementAnswer): Promise<void> {
    const place = [streamEnds(answer.stream)?.to, answer.partition];
    const [row] = await tx.query<SenderRow>(LOCK, place);
    if (row === undefined) return;
    const { incarnation, receiver, handled, unseen } = answer;
    const claim = { incarnation, receiver, closed: handled.union(unseen) };
    const verdict = judgeAcknowledgement(claim, senderOf(row));
    if (verdict === 'newer-receiver') {
      await tx.query(ASK, place);
      tx.afterCommit(this.options.wakeSessions);
    }
    if (verdict !== 'apply') return;
    const ended = await tx.query<SettledRow>(END, [...place, claim.closed.toString()]);
    await appendLosses(tx, ended.filter((each) => has(unseen, each)).map(waivedLoss));
  }
}

type SettledRow = WaivedRow & { readonly sequence: string };

function has(numbers: RangeSet, { sequence }: SettledRow): boolean {
  return numbers.has(Number(sequence));
}

const LOCK = statement(
  'settlement_lock',
  `SELECT ${SENDER_COLUMNS} FROM pawl.outbox_stream s WHERE s.destination = $1 AND s.partition = $2 FOR NO KEY UPDATE OF s`,
);

const ASK = statement(
  'settlement_ask',
  `UPDATE pawl.outbox_stream SET next_ask_at = now() WHERE destination = $1 AND partition = $2`,
);

const END = statement(
  'settlement_end',
  `WITH ended AS (
     DELETE FROM pawl.outbox
     WHERE destination = $1 AND partition = $2 AND waived_at IS NOT NULL AND sequence <@ $3::int8multirange
     RETURNING id, sequence, type, key, payload, true AS waived, waived_by, waived_reason),
   counted AS (
     UPDATE pawl.outbox_stream
     SET unacknowledged = greatest(unacknowledged - (SELECT count(*) FROM ended)::integer, 0), progressed_at = now()
     WHERE destination = $1 AND partition = $2)
   SELECT * FROM ended`,
);
