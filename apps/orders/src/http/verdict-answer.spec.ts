import type { Receipt, Rule, Verdict } from '@pawl/workflow';
import { answerOf } from './verdict-answer.js';

const receipt = (verdict: Verdict, rule: Rule): Receipt => ({
  verdict,
  rule,
  runId: '0190c0de-0000-7000-8000-000000000000',
  key: 'o-1',
  status: 'waiting',
  state: 'Submitted',
});

describe('the answer to a delivery', () => {
  it.each<[Verdict, Rule]>([
    ['applied', 'started'],
    ['applied', 'accepted'],
    ['duplicate', 'item-seen'],
    ['duplicate', 'already-parked'],
    ['early', 'run-not-started'],
    ['early', 'guard-not-met'],
    ['late', 'applied-before'],
  ])('is 202 for %s by %s', (verdict, rule) => {
    const body = { orderId: 'o-1', verdict, rule, state: 'Submitted' };
    expect(answerOf(receipt(verdict, rule))).toEqual({ status: 202, body });
  });

  it.each<[Verdict, Rule, string]>([
    ['late', 'never-applied', 'never_applied'],
    ['rejected', 'conflicting-content', 'conflicting_content'],
    ['rejected', 'index-beyond-count', 'index_beyond_count'],
  ])('is 409 for %s by %s', (verdict, rule, code) => {
    const facts = { verdict, rule, state: 'Submitted', orderId: 'o-1' };
    expect(answerOf(receipt(verdict, rule))).toMatchObject({
      status: 409,
      body: { ...facts, status: 409, code },
    });
  });

  it('is thrown and not stored when too much waits', () => {
    expect(() => answerOf(receipt('rejected', 'parked-limit'))).toThrow(
      expect.objectContaining({ status: 429 }),
    );
  });
});
