import { type Json, PawlError, type Transaction } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import { appendDeadLetters, deadMessage } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import { type MessageClass, messageTypeOf } from '../message-type.js';
import type { MessageConsumer } from './message-consumer.js';

/** What a handler is given beside the payload. */
export interface MessageContext {
  readonly envelope: Envelope;
  /**
   * Of the transaction that closes the message's number. It is taken away when the handler ends: await every query.
   * @throws PawlError `no_transaction` for a message whose route promises at least or at most once: its handler runs in none
   */
  readonly manager: EntityManager;
  /** Aborted when the handler's time is up. */
  readonly signal: AbortSignal;
}

export type MessageHandler<Payload> = (payload: Payload, context: MessageContext) => Promise<void> | void;

const HANDLED = Symbol.for('pawl.on-message');

/**
 * Makes a provider's method the handler of a message type: `(payload, { envelope, manager })`. What it writes through `manager` happens
 * exactly once per message. To throw rolls back and spends an attempt. If the message's route promises at least or at most once
 * there is no `manager`, and more time: see `Guarantee`. The payload has passed the schema of the class; one that does not
 * becomes a dead letter.
 */
export function OnMessage<Payload>(type: MessageClass<Payload>) {
  return <Handler extends MessageHandler<Payload>>(
    _target: object,
    _member: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    const types = handledBy(descriptor.value);
    if (descriptor.value) Object.defineProperty(descriptor.value, HANDLED, { value: [...types, type] });
  };
}

/** The message classes that a method handles, by its `@OnMessage`. */
export function handledBy(method: unknown): readonly MessageClass[] {
  if (typeof method !== 'function') return [];
  return (method as { [HANDLED]?: readonly MessageClass[] })[HANDLED] ?? [];
}

/** Runs one handler method, message by message, each with an EntityManager of its own. */
export class HandlerConsumer implements MessageConsumer {
  /**
   * @param name class and method, for errors
   * @param timeoutMs how long one call may take
   * @param callTimeoutMs how long one may take that runs in no transaction
   * @param togetherMs how long one may take that holds its partition up; what takes longer is tried apart
   */
  constructor(
    readonly name: string,
    private readonly type: MessageClass,
    private readonly handler: MessageHandler<Json>,
    private readonly timeoutMs: number,
    private readonly callTimeoutMs: number = timeoutMs,
    private readonly togetherMs: number = timeoutMs,
  ) {}

  /** What does not fit is buried in the transaction. */
  callable(envelope: Envelope): boolean {
    return messageTypeOf(this.type).problems(envelope.data).length === 0;
  }

  async call(envelope: Envelope): Promise<void> {
    await this.withinTime(this.callTimeoutMs, async (signal) =>
      this.handler(envelope.data, outsideContext(envelope, signal)),
    );
  }

  versionsOf(): readonly number[] {
    return [messageTypeOf(this.type).version];
  }

  async handle(
    envelopes: readonly Envelope[],
    tx: Transaction,
    { apart } = { apart: true },
  ): Promise<readonly string[]> {
    const timeoutMs = apart ? this.timeoutMs : Math.min(this.timeoutMs, this.togetherMs);
    for (const envelope of envelopes) await this.handleOne(envelope, tx, timeoutMs);
    return [];
  }

  private async handleOne(envelope: Envelope, tx: Transaction, timeoutMs: number): Promise<void> {
    const problems = messageTypeOf(this.type).problems(envelope.data);
    if (problems.length > 0) return this.bury(envelope, tx, problems);
    const lent = tx.lend();
    try {
      await this.withinTime(timeoutMs, async (signal) =>
        this.handler(envelope.data, { envelope, manager: lent.manager, signal }),
      );
    } finally {
      lent.revoke();
    }
  }

  private async bury(envelope: Envelope, tx: Transaction, problems: readonly string[]): Promise<void> {
    const why = { reason: 'invalid_payload', rule: problems.join('; ') };
    await appendDeadLetters(tx, [deadMessage(envelope, why)]);
  }

  private async withinTime(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const ending = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new HandlerTimeoutError(this.name, timeoutMs);
        ending.abort(error);
        reject(error);
      }, timeoutMs);
    });
    try {
      await Promise.race([work(ending.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function outsideContext(envelope: Envelope, signal: AbortSignal): MessageContext {
  return {
    envelope,
    signal,
    get manager(): EntityManager {
      throw new NoTransactionError(envelope);
    },
  };
}

/** The handler of an at-least-once or at-most-once route asked for a transaction that there is not. */
export class NoTransactionError extends PawlError {
  constructor({ type, guarantee }: Envelope) {
    super(
      'no_transaction',
      `The route of this ${type} promises ${guarantee}: its handler runs in no transaction. Open one (dataSource.transaction), or ` +
        `leave the route at exactly-once.`,
    );
  }
}

/** A handler was not done in time; its EntityManager is taken away and its transaction rolled back. */
export class HandlerTimeoutError extends PawlError {
  constructor(handler: string, timeoutMs: number) {
    super('handler_timeout', `${handler} was not done within ${timeoutMs} ms.`, { handler, timeoutMs });
  }
}
