import { HttpException } from '@nestjs/common';
import { type Answer, httpProblem } from '@pawl/messaging';
import type { Receipt } from '@pawl/workflow';

/**
 * The answer to a request that delivered an event to an order. What was taken, or had been taken before, is a 202 with verdict, rule and
 * state; what the order can not take any more, or has in another form, is a 409 with the same facts.
 * @throws HttpException 429 when too much waits for this order already: nothing is recorded, and the request may be repeated.
 */
export function answerOf(receipt: Receipt): Answer {
  const { key: orderId, verdict, rule, state } = receipt;
  const facts = { orderId, verdict, rule, state };
  if (isTaken(receipt)) return { status: 202, body: facts };
  if (rule === 'parked-limit') throw new HttpException({ code: 'parked_limit', detail: TOO_MANY_WAIT }, 429);
  const detail = receipt.detail ?? `The order is ${state ?? 'not there yet'}.`;
  const refusal = httpProblem({ status: 409, code: rule.replaceAll('-', '_'), detail });
  return { status: 409, body: { ...refusal, ...facts } };
}

function isTaken({ verdict, rule }: Receipt): boolean {
  return verdict === 'applied' || verdict === 'duplicate' || verdict === 'early' || rule === 'applied-before';
}

const TOO_MANY_WAIT = 'Too many events wait for this order already: complete it before sending more.';
