import { PawlError, type Statement, statement } from '@pawl/core';
import type { RecordedError } from '../dead-letter.js';
import { isUuid } from '../envelope.js';

/** Runs one statement and commits it. */
export type RunSql = <Row>(sql: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** Who asks for something, and why; both are kept with the row. */
export interface Instruction {
  /** A person's name or login, 1 to 200 characters. */
  readonly actor: string;
  /** 1 to 1,000 characters. */
  readonly reason: string;
}

export interface DeadLetterSummary {
  readonly id: string;
  readonly createdAt: Date;
  readonly origin: 'message' | 'event';
  /** Where it came from: a stream, `http`, `client`. */
  readonly source: string | null;
  /** The id under which its source knows it; it is redriven under this one. */
  readonly messageId: string | null;
  readonly workflow: string | null;
  readonly runKey: string | null;
  readonly type: string;
  readonly version: number;
  readonly reason: string;
  readonly rule: string | null;
  /** What is asked for and not done yet. */
  readonly requested: 'redrive' | 'waive' | null;
  readonly actor: string | null;
  readonly actorReason: string | null;
  readonly tries: number;
  readonly resolution: 'redriven' | 'waived' | 'decided' | null;
  readonly resolvedAt: Date | null;
}

export interface DeadLetterRecord extends DeadLetterSummary {
  readonly payload: unknown;
  /** What the message's envelope said beside its payload. */
  readonly envelope: unknown;
  /** Of its handling and of redrives, oldest first: the first one and the newest. */
  readonly errors: readonly RecordedError[];
}

export interface DeadLetterPage {
  /** Default false: only those that nobody has dealt with. */
  readonly resolved?: boolean;
  /** The id of the last one on the page before. */
  readonly after?: string;
  /** 1 to 100, default 50. */
  readonly limit?: number;
}

/** Dead letters that one request may name. */
export const REQUESTED_MAX = 100;
const TRIES = 3;
const PAGE_MAX = 100;
const ACTOR_LENGTH_MAX = 200;
const REASON_LENGTH_MAX = 1_000;

/**
 * What a person does about dead letters, from anywhere that reaches the database. To redrive or waive is a request in the row: a duty of
 * the service carries it out within moments, for only a service has the handlers. Of two requests for one row the first counts.
 */
export class DeadLetters {
  constructor(private readonly sql: RunSql) {}

  /** Oldest first. */
  async list({ resolved = false, after, limit = 50 }: DeadLetterPage = {}): Promise<DeadLetterSummary[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX)
      throw invalid(`limit ${limit} is not 1 to ${PAGE_MAX}`);
    if (after !== undefined) checkIds([after]);
    return this.sql<DeadLetterSummary>(LIST, [resolved, after ?? null, limit]);
  }

  /** One of them with its payload and every error, or undefined. */
  async find(id: string): Promise<DeadLetterRecord | undefined> {
    checkIds([id]);
    return (await this.sql<DeadLetterRecord>(FIND, [id]))[0];
  }

  /**
   * Asks that the consumers get the stored message or event again, under its id, in one transaction with its resolution: it takes effect once.
   * If that fails, the error joins the others in the row, and the row is open again.
   * Answers those ids that are asked for now: open, and nothing else was asked for.
   * @throws PawlError `dead_letter_request_invalid`
   */
  async redrive(ids: readonly string[], instruction: Instruction): Promise<string[]> {
    return this.request('redrive', ids, instruction);
  }

  /** Asks that it be closed without effect; the effect that is missing becomes a row of the loss ledger. Else as `redrive`. */
  async waive(ids: readonly string[], instruction: Instruction): Promise<string[]> {
    return this.request('waive', ids, instruction);
  }

  private async request(
    what: 'redrive' | 'waive',
    ids: readonly string[],
    { actor, reason }: Instruction,
  ): Promise<string[]> {
    checkIds(ids);
    checkText('actor', actor, ACTOR_LENGTH_MAX);
    checkText('reason', reason, REASON_LENGTH_MAX);
    const rows = await this.sql<{ id: string }>(REQUEST, [ids, what, actor, reason, TRIES]);
    return rows.map(({ id }) => id);
  }
}

const SUMMARY = `id, created_at AS "createdAt", origin, coalesce(source, stream) AS source, message_id AS "messageId",
  workflow, run_key AS "runKey", type, version, reason, rule, requested, actor, actor_reason AS "actorReason", tries, resolution,
  resolved_at AS "resolvedAt"`;

const LIST = statement(
  'dead_letter_list',
  `SELECT ${SUMMARY} FROM pawl.dead_letter
  WHERE (resolved_at IS NOT NULL) = $1
    AND ($2::uuid IS NULL OR (created_at, id) > (SELECT created_at, id FROM pawl.dead_letter WHERE id = $2))
  ORDER BY created_at, id LIMIT $3`,
);

const FIND = statement(
  'dead_letter_find',
  `SELECT ${SUMMARY}, payload, envelope, errors FROM pawl.dead_letter WHERE id = $1`,
);

/** Who comes second waits for the row and finds that something is asked for. In one order, so that two do not deadlock. */
const REQUEST = statement(
  'dead_letter_request',
  `WITH open AS (
    SELECT id FROM pawl.dead_letter
    WHERE id = ANY ($1::uuid[]) AND resolved_at IS NULL AND requested IS NULL ORDER BY id FOR UPDATE)
  UPDATE pawl.dead_letter letter
  SET requested = $2, requested_at = clock_timestamp(), actor = $3, actor_reason = $4, tries_left = $5, claimed_until = NULL
  FROM open WHERE letter.id = open.id RETURNING letter.id`,
);

function checkIds(ids: readonly string[]): void {
  if (ids.length === 0 || ids.length > REQUESTED_MAX)
    throw invalid(`name 1 to ${REQUESTED_MAX} dead letters`);
  const wrong = ids.find((id) => !isUuid(id));
  if (wrong !== undefined) throw invalid(`'${String(wrong).slice(0, 50)}' is not the id of a dead letter`);
}

function checkText(name: string, text: string, lengthMax: number): void {
  if (
    typeof text !== 'string' ||
    text.trim() === '' ||
    text.length > lengthMax ||
    /[\p{Cc}\p{Cs}]/u.test(text)
  )
    throw invalid(`${name} is not a text of 1 to ${lengthMax} characters`);
}

function invalid(why: string): PawlError {
  return new PawlError('dead_letter_request_invalid', `Dead letters: ${why}.`);
}
