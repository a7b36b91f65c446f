import type { DataSource, EntityManager } from 'typeorm';
import type { JournalKind } from '../model/change.js';

/** Which runs to list; what is left out does not restrict. */
export interface RunFilter {
  readonly workflow?: string;
  readonly status?: string;
  readonly state?: string;
  readonly key?: string;
  /** Whether a person should look at the run. */
  readonly attention?: boolean;
  /** The id of the last run of the page before. */
  readonly after?: string;
  readonly limit: number;
}

export interface RunSummary {
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly version: number | null;
  readonly status: string;
  readonly state: string | null;
  readonly attention: string | null;
  readonly parkedCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}

/** One run with everything that is recorded about it, as of one instant. */
export interface RunRecord extends RunSummary {
  readonly data: unknown;
  readonly revision: number;
  /** What is or was undone, and how the run ends with it; null: nothing. */
  readonly undo: { readonly scope: string; readonly to: string } | null;
  /** A step that can not be taken back has begun. */
  readonly noReturn: boolean;
  /** Since when nothing of it is begun; null: it is not paused. */
  readonly pausedAt: Date | null;
  readonly forkedFrom: string | null;
  /** Claims since the last progress. */
  readonly claims: number;
  readonly leaseUntil: Date | null;
  readonly dueAt: Date | null;
  /** The newest {@link RECORDS_MAX}, oldest first; payloads are left out. */
  readonly journal: readonly JournalRecord[];
  readonly steps: readonly StepRecord[];
  readonly verdicts: readonly VerdictCount[];
  readonly parked: readonly ParkedRecord[];
  readonly timers: readonly { readonly member: string; readonly state: string; readonly fireAt: Date }[];
  /** What is on its way under the run's key: a message leaves the outbox when its receiver has acknowledged it. */
  readonly messages: readonly MessageRecord[];
  readonly deadLetters: readonly UndeliverableRecord[];
  readonly losses: readonly LossRecord[];
  /** What people did to it or wanted to, oldest first. */
  readonly actions: readonly ActionRecord[];
}

export interface JournalRecord {
  readonly revision: number;
  readonly kind: JournalKind;
  readonly name: string;
  readonly subject: string;
  readonly verdict: string | null;
  readonly rule: string | null;
  readonly detail: string | null;
  readonly fromState: string | null;
  readonly toState: string | null;
  readonly source: string | null;
  readonly eventId: string | null;
  readonly at: Date;
}

export interface StepRecord {
  readonly name: string;
  readonly kind: 'step' | 'compensation';
  /** Of a compensation: its step. */
  readonly undoes: string | null;
  /** -1 for a step that runs once. */
  readonly item: number;
  readonly generation: number;
  readonly status: string;
  readonly effect: string;
  readonly attempts: number;
  /** Some attempt may have taken effect, and nobody has said that it did not. */
  readonly inDoubt: boolean;
  /** Of a step that runs for each item, once it was begun: how many there are, and how many of them are done or gave up. */
  readonly items: { readonly total: number; readonly done: number; readonly failed: number } | null;
  readonly idempotencyKey: string;
  readonly startedAt: Date;
  readonly nextAttemptAt: Date | null;
  /** No attempt is begun after this; null: its step has no `deadline`. */
  readonly deadline: Date | null;
  /** The run has left its state while it was open: it is undone on its own, and the run goes on. */
  readonly leftBehind: boolean;
  readonly finishedAt: Date | null;
  readonly output: unknown;
  readonly errors: unknown;
}

export interface ActionRecord {
  readonly id: string;
  readonly action: string;
  readonly actor: string;
  readonly reason: string;
  /** `done`, or the code of the refusal. */
  readonly outcome: string;
  /** What was asked for beyond the action, and what was answered. */
  readonly detail: unknown;
  readonly at: Date;
}

export interface VerdictCount {
  readonly verdict: string;
  readonly rule: string;
  readonly count: number;
}

export interface ParkedRecord {
  readonly type: string;
  readonly subject: string;
  readonly source: string;
  readonly receivedAt: Date;
  readonly deadline: Date | null;
  /** Its deadline has passed: it counts as a dead letter, and is still taken should the run become able to. */
  readonly overdue: boolean;
}

export interface MessageRecord {
  readonly id: string;
  readonly to: string;
  readonly type: string;
  readonly partition: number;
  readonly sequence: number | null;
  readonly transmissions: number;
  readonly createdAt: Date;
}

export interface UndeliverableRecord {
  readonly id: string;
  readonly type: string;
  readonly reason: string;
  readonly createdAt: Date;
}

export interface LossRecord extends UndeliverableRecord {
  readonly origin: 'message' | 'event' | 'step';
  /** Of a step its name, of an item of it `name/index`; else the item or key of the event, if it has one. */
  readonly subject: string;
  readonly detail: string | null;
  /** Its call may still be at work: whether anything is lost is not known yet. */
  readonly underWay: boolean;
}

/** How many rows of one kind are read of one run. */
export const RECORDS_MAX = 1_000;

/** Reads runs for people. Locks nothing, changes nothing, and gives up after `STATEMENT_TIMEOUT_MS`. */
export class RunReader {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first, one page. */
  async list(filter: RunFilter): Promise<RunSummary[]> {
    const { where, values } = conditions(filter);
    const sql = `select ${SUMMARY} from pawl.run r ${where} order by r.id desc limit ${Math.trunc(filter.limit)}`;
    return this.read((manager) => manager.query<RunSummary[]>(sql, values));
  }

  async find(id: string): Promise<RunRecord | undefined> {
    return this.read(async (manager) => {
      const [run] = await manager.query<Omit<RunRecord, keyof typeof DETAILS>[]>(
        `select ${SUMMARY}, data, revision::float8, no_return as "noReturn", paused_at as "pausedAt", forked_from as "forkedFrom",
           case when undo_scope is not null then jsonb_build_object('scope', undo_scope, 'to', undo_to) end as undo, claims, lease_until as "leaseUntil", due_at as "dueAt"
         from pawl.run r where r.id = $1`,
        [id],
      );
      if (run === undefined) return undefined;
      const details: Record<string, unknown> = {};
      for (const [name, sql] of Object.entries(DETAILS)) details[name] = await manager.query(sql, [id]);
      return { ...run, ...details } as unknown as RunRecord;
    });
  }

  private async read<T>(query: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
      await manager.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      return query(manager);
    });
  }
}

const STATEMENT_TIMEOUT_MS = 3_000;

const SUMMARY = `r.id, r.workflow, r.key, r.version, r.status, r.state, r.attention, r.parked_count as "parkedCount",
  r.created_at as "createdAt", r.updated_at as "updatedAt", r.ended_at as "endedAt"`;

const EQUALS = { workflow: 'r.workflow', status: 'r.status', state: 'r.state', key: 'r.key' } as const;

/** Columns come from the list above, values are parameters: nothing of the caller becomes SQL. */
function conditions(filter: RunFilter): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const parts: string[] = [];
  for (const [name, column] of Object.entries(EQUALS)) {
    const value = filter[name as keyof typeof EQUALS];
    if (value !== undefined) parts.push(`${column} = $${values.push(value)}`);
  }
  if (filter.attention !== undefined) parts.push(`r.attention is ${filter.attention ? 'not ' : ''}null`);
  if (filter.after !== undefined) parts.push(`r.id < $${values.push(filter.after)}`);
  return { where: parts.length > 0 ? `where ${parts.join(' and ')}` : '', values };
}

const OF_RUN = '(select workflow, key from pawl.run where id = $1)';

const DETAILS = {
  journal: `select * from (
      select revision::float8, kind, name, subject, verdict, rule, detail, from_state as "fromState", to_state as "toState",
        source, event_id as "eventId", at
      from pawl.journal where run_id = $1 order by journal.revision desc limit ${RECORDS_MAX}) newest
    order by revision`,
  steps: `select name, kind, undoes, item::float8, generation, status, effect, attempts, in_doubt as "inDoubt",
      case when items_total is not null then jsonb_build_object('total', items_total, 'done', ${sizeOf('items_done')},
        'failed', ${sizeOf('items_failed')}) end as items, idempotency_key as "idempotencyKey",
      started_at as "startedAt", next_attempt_at as "nextAttemptAt", expires_at as deadline,
      abandoned as "leftBehind", finished_at as "finishedAt", output, errors
    from pawl.step where run_id = $1 order by started_at, round, name, step.item, generation limit ${RECORDS_MAX}`,
  verdicts: `select verdict, rule, sum(count)::float8 as count from (
      select verdict, rule, count(*) as count from pawl.journal where run_id = $1 and verdict is not null group by 1, 2
      union all
      -- The first repeat of a subject has its journal entry already.
      select verdict, rule, sum(count - 1) from pawl.repeat where run_id = $1 group by 1, 2) counted
    group by 1, 2 order by 1, 2`,
  parked: `select type, subject, source, received_at as "receivedAt", deadline, dead_letter_id is not null as overdue
    from pawl.parked_event where run_id = $1 order by received_at, type, subject limit ${RECORDS_MAX}`,
  timers: `select member, state, fire_at as "fireAt" from pawl.timer where run_id = $1 order by fire_at`,
  messages: `select id, destination as to, type, partition, sequence::float8, transmissions, created_at as "createdAt"
    from pawl.outbox where key = (select key from pawl.run where id = $1) order by position limit ${RECORDS_MAX}`,
  deadLetters: `select id, type, reason, created_at as "createdAt" from pawl.dead_letter
    where (workflow, run_key) = ${OF_RUN} order by created_at, id limit ${RECORDS_MAX}`,
  losses: `select id, origin, type, subject, reason, detail, created_at as "createdAt",
      coalesce(under_way_until > clock_timestamp(), false) as "underWay" from pawl.loss
    where (workflow, run_key) = ${OF_RUN} order by created_at, id limit ${RECORDS_MAX}`,
  actions: `select id, action, actor, reason, outcome, detail, at from pawl.operator_action
    where run_id = $1 order by at, id limit ${RECORDS_MAX}`,
} as const;

function sizeOf(ranges: string): string {
  return `(select coalesce(sum(upper(r) - lower(r)), 0) from unnest(${ranges}) as r)`;
}
