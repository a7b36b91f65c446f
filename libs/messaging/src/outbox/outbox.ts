import { PawlError, statement, type Transaction, type Transactions } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import { isKey, isUuid } from '../envelope.js';
import type { ClaimCheck } from '../feed/claim-check.js';
import type { OutgoingMessage } from '../outgoing-message.js';
import { payloadJson } from '../payload.js';
import type { Route } from '../route.js';
import type { Backlogs } from './backlogs.js';

/** Most messages that one append writes. */
export const APPEND_MAX = 1_000;

/**
 * Where messages to other services are written, in the transaction of what they tell of: both commit or neither does. After commit the
 * relay is woken; should that be lost, it looks by itself.
 */
export class Outbox {
  /** @param wakeRelay called after each commit that wrote messages; a hint */
  constructor(
    private readonly transactions: Transactions,
    private readonly wakeRelay: () => void,
    private readonly backlogs: Pick<Backlogs, 'assertRoom'>,
    private readonly claimCheck: ClaimCheck,
  ) {}

  /**
   * For the edge, before it begins work whose messages would only pile up: an HTTP caller gets 503 and comes back.
   * @throws RouteCongestedError `route_congested` about `backlogMax` messages of the route wait for their destination
   */
  assertRoom(route: Route): void {
    this.backlogs.assertRoom(route);
  }

  /**
   * Writes messages in one of Pawl's own transactions, in the given order. Never refused for their number: they are the outcome of work
   * that is done, and to refuse them would have it done again. An id that is in the outbox already is left alone.
   * @throws PawlError `payload_too_large`, `payload_invalid`, `message_invalid`, `too_many_messages`, `claim_check_unavailable`
   */
  async append(tx: Transaction, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await tx.query(APPEND, appendValues(messages, this.claimCheck));
    tx.afterCommit(this.wakeRelay);
  }

  /**
   * Writes messages in a TypeORM transaction of the caller: `dataSource.transaction((manager) => outbox.appendIn(manager, ...))`.
   * @throws RouteCongestedError as `assertRoom`; in an `@OnMessage` handler the message it handles stays open, and no attempt is spent
   * @throws NotInTransactionError for a manager without an open transaction, such as `dataSource.manager`; else as `append`
   */
  async appendIn(manager: EntityManager, messages: readonly OutgoingMessage[]): Promise<void> {
    for (const route of new Set(messages.map((message) => message.route))) this.assertRoom(route);
    await this.append(await this.transactions.join(manager), messages);
  }
}

/** `WITH ORDINALITY ... ORDER BY` makes positions grow in the order of the array. */
const APPEND = statement(
  'outbox_append',
  `INSERT INTO pawl.outbox (id, destination, partition, key, type, version, payload, traceparent, key_order, pulled, guarantee,
     claim_digest, claim_bytes)
   SELECT id, destination, partition, key, type, version, payload, traceparent, key_order, pulled, guarantee, claim_digest, claim_bytes
   FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::jsonb[], $8::text[], $9::text[], $10::boolean[],
     $11::text[], $12::text[], $13::integer[])
     WITH ORDINALITY AS message (id, destination, partition, key, type, version, payload, traceparent, key_order, pulled, guarantee,
       claim_digest, claim_bytes, n)
   ORDER BY n
   ON CONFLICT (id) DO NOTHING`,
);

function appendValues(messages: readonly OutgoingMessage[], claimCheck: ClaimCheck): unknown[] {
  if (messages.length > APPEND_MAX) {
    throw new PawlError(
      'too_many_messages',
      `${messages.length} messages in one append, more than ${APPEND_MAX}.`,
    );
  }
  for (const message of messages) check(message);
  const payloads = messages.map(({ payload, type }) => payloadJson(payload, `message ${type}`));
  const claims = messages.map((message, n) => claimCheck.claimFor(message, payloads[n] ?? ''));
  return [
    messages.map(({ id }) => id),
    messages.map(({ route }) => route.to),
    messages.map(({ route, key }) => route.partitionOf(key)),
    messages.map(({ key }) => key),
    messages.map(({ type }) => type),
    messages.map(({ version }) => version),
    payloads,
    messages.map(({ traceparent }) => traceparent ?? null),
    messages.map(({ route }) => route.keyOrder ?? null),
    messages.map(({ route }) => route.pulled),
    messages.map(({ route }) => (route.guarantee === 'exactly-once' ? null : route.guarantee)),
    claims.map((claim) => claim?.digest ?? null),
    claims.map((claim) => claim?.bytes ?? null),
  ];
}

function check({ id, key, type, version, route }: OutgoingMessage): void {
  if (!route.carries(type, version))
    throw invalid(
      type,
      `the route to ${route.to} does not carry version ${version} of it: add it to its messages`,
    );
  if (!isUuid(id)) throw invalid(type, `its id '${String(id).slice(0, 50)}' is not a UUID in lower case`);
  if (!isKey(key)) throw invalid(type, 'its key is not a text of 1 to 512 characters');
}

function invalid(type: string, why: string): PawlError {
  return new PawlError('message_invalid', `Message ${type}: ${why}.`, { type });
}
