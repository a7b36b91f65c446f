import { type Json, PawlError, type Transaction } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import { appendDeadLetters, deadMessage } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import { type MessageClass, messageTypeOf } from '../message-type.js';
import type { MessageConsumer } from './message-consumer.js';

/** What a handler is given beside the payload. */
export interface MessageContext {
  readonly envelope: Envelope;
  /** Of the transaction that closes the message's number. It is taken away when the handler ends: await every query. */
  readonly manager: EntityManager;
}

export type MessageHandler<Payload> = (payload: Payload, context: MessageContext) => Promise<void> | void;

const HANDLED = Symbol.for('pawl.on-message');

/**
 * Makes a provider's method the handler of a message type: `(payload, { envelope, manager })`. What it writes through `manager` happens
 * exactly once per message. To throw rolls back and spends an attempt. The payload has passed the schema of the class; one that does not
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
   * @param timeoutMs how long one call may take; it holds the partition's row meanwhile
   */
  constructor(
    readonly name: string,
    private readonly type: MessageClass,
    private readonly handler: MessageHandler<Json>,
    private readonly timeoutMs: number,
  ) {}

  async handle(envelopes: readonly Envelope[], tx: Transaction): Promise<readonly string[]> {
    for (const envelope of envelopes) await this.handleOne(envelope, tx);
    return [];
  }

  private async handleOne(envelope: Envelope, tx: Transaction): Promise<void> {
    const problems = this.problemsOf(envelope);
    if (problems.length > 0) return this.bury(envelope, tx, problems);
    const lent = tx.lend();
    try {
      await this.withinTime(async () => this.handler(envelope.data, { envelope, manager: lent.manager }));
    } finally {
      lent.revoke();
    }
  }

  private problemsOf({ dataversion, data }: Envelope): string[] {
    const { version, problems } = messageTypeOf(this.type);
    if (dataversion !== version)
      return [`it has version ${dataversion}, ${this.name} handles version ${version}`];
    return problems(data);
  }

  private async bury(envelope: Envelope, tx: Transaction, problems: readonly string[]): Promise<void> {
    const why = { reason: 'invalid_payload', rule: problems.join('; ') };
    await appendDeadLetters(tx, [deadMessage(envelope, why)]);
  }

  private async withinTime(work: () => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new HandlerTimeoutError(this.name, this.timeoutMs)), this.timeoutMs);
    });
    try {
      await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A handler was not done in time; its EntityManager is taken away and its transaction rolled back. */
export class HandlerTimeoutError extends PawlError {
  constructor(handler: string, timeoutMs: number) {
    super('handler_timeout', `${handler} was not done within ${timeoutMs} ms.`, { handler, timeoutMs });
  }
}
