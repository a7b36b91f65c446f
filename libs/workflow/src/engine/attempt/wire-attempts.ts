import type { Transactions } from '@pawl/core';
import type { ExchangeClient, Outbox } from '@pawl/messaging';
import { Attempts } from './attempts.js';
import { Compensation } from './compensation.js';
import { ExternalStep } from './external-step.js';
import { Failures } from './failures.js';
import { FanOut } from '../fan-out/fan-out.js';
import { FanOutAttempts } from '../fan-out/fan-out-attempts.js';
import { FanOutCloser } from '../fan-out/fan-out-closer.js';
import { FanOutUndo } from '../fan-out/fan-out-undo.js';
import { Inquiry } from './inquiry.js';
import type { StepCloser } from './step-closer.js';
import { TransactionalSteps } from './transactional-steps.js';

export interface AttemptsWiring {
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly closer: StepCloser;
  readonly exchange: ExchangeClient;
  readonly leaseMs: number;
  readonly isStopping: () => boolean;
  readonly random: () => number;
}

/** The parts that make attempts, put together. */
export function wireAttempts(wiring: AttemptsWiring): Attempts {
  const { transactions, closer, isStopping, random } = wiring;
  const transactional = new TransactionalSteps(transactions, closer, wiring.leaseMs);
  const external = new ExternalStep(transactions, closer, wiring.exchange);
  const inquiry = new Inquiry(transactions, random);
  const failures = new Failures({ transactions, closer, isStopping, random });
  const attempts = { transactions, transactional, external, inquiry, failures };
  const items = new FanOutAttempts({ ...attempts, closer: new FanOutCloser(wiring.outbox) });
  const fanOut = { transactions, attempts: items, closer, isStopping };
  return new Attempts({
    ...attempts,
    compensation: new Compensation(transactional, external, closer),
    fanOut: new FanOut(fanOut),
    fanOutUndo: new FanOutUndo(fanOut),
    closer,
  });
}
