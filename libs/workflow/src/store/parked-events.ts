import { statement, type Transaction } from '@pawl/core';
import { v7 as uuidv7 } from 'uuid';
import { OVER } from '../machine/is-over.js';
import type { ArrivingEvent, IncomingEvent, ParkedEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { KnownVersions } from './claims.js';
import type { RunAddress } from './lock-runs.js';

interface ParkedRow {
  readonly id: string;
  readonly event_id: string;
  readonly source: string;
  readonly type: string;
  readonly type_version: number;
  readonly subject: string;
  readonly payload: unknown;
  readonly digest: string;
  readonly received_at: Date;
  readonly start_version: number | null;
}

const COLUMNS =
  'id, event_id, source, type, type_version, subject, payload, digest, received_at, start_version';

const PARKED = statement(
  'parked_events',
  `select ${COLUMNS} from pawl.parked_event where run_id = $1 order by received_at, id`,
);

// A start of a version that this process has not is left to one that has it.
const TAKE_UNDECIDED = statement(
  'take_undecided_events',
  `delete from pawl.parked_event where run_id is null and workflow = $1 and key = $2
     and (start_version is null or start_version = any ($3::int[])) returning ${COLUMNS}`,
);

const INSERT_UNDECIDED = statement(
  'insert_undecided_event',
  `insert into pawl.parked_event (id, run_id, workflow, key, event_id, source, type, type_version, payload, digest, start_version)
   values ($1, null, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10)
   on conflict (workflow, key, source, event_id) where run_id is null do nothing`,
);

// Only for runs whose version this process has, or that have none yet, or that are over and have an older one. Those that have a run go first: the others may meet the cap of awaited
// runs again and again, and must not stand in their way.
const UNDECIDED_ADDRESSES = statement(
  'undecided_addresses',
  `select p.workflow, p.key from pawl.parked_event p
   left join pawl.run r on r.workflow = p.workflow and r.key = p.key
   where p.run_id is null and p.workflow = any ($1::text[])
     and (p.start_version is null or (p.workflow, p.start_version) in (select * from unnest($2::text[], $3::int[])))
     and (r.version is null or (r.workflow, r.version) in (select * from unnest($2::text[], $3::int[]))
       or r.status = any ($5::text[]) and exists (
         select 1 from unnest($2::text[], $3::int[]) as k (workflow, version)
         where k.workflow = r.workflow and k.version > r.version))
   group by p.workflow, p.key, r.id order by r.id is null, min(p.received_at) limit $4`,
);

/** The decided events that wait with this run, oldest first. The run's row must be locked. */
export async function parkedEvents(tx: Transaction, runId: string): Promise<ParkedEvent[]> {
  return (await tx.query<ParkedRow>(PARKED, [runId])).map(toEvent);
}

/** Takes the events that nobody has decided yet; whoever takes them decides them in the same transaction, under the run's lock. */
export async function takeUndecided(
  tx: Transaction,
  run: Run,
  known: KnownVersions,
): Promise<IncomingEvent[]> {
  const versions = known.filter(({ workflow }) => workflow === run.workflow).map(({ version }) => version);
  return (await tx.query<ParkedRow>(TAKE_UNDECIDED, [run.workflow, run.key, versions])).map(toEvent);
}

/** Stores an event for a run undecided: it locks no run, so it can not deadlock with anything. Unique by source and id, never by meaning (D27). */
export async function storeUndecided(
  tx: Transaction,
  address: RunAddress,
  event: ArrivingEvent,
): Promise<void> {
  await tx.query(INSERT_UNDECIDED, [
    uuidv7(),
    address.workflow,
    address.key,
    event.id,
    event.source,
    event.type,
    event.typeVersion,
    JSON.stringify(event.payload),
    event.digest,
    event.startVersion ?? null,
  ]);
}

/** Runs for which undecided events wait, by the age of the oldest. */
export async function undecidedAddresses(
  tx: Transaction,
  known: KnownVersions,
  limit: number,
): Promise<RunAddress[]> {
  const workflows = known.map(({ workflow }) => workflow);
  const versions = known.map(({ version }) => version);
  return tx.query<RunAddress>(UNDECIDED_ADDRESSES, [
    [...new Set(workflows)],
    workflows,
    versions,
    limit,
    OVER,
  ]);
}

function toEvent(row: ParkedRow): ParkedEvent {
  return {
    id: row.event_id,
    type: row.type,
    typeVersion: row.type_version,
    payload: row.payload,
    digest: row.digest,
    source: row.source,
    receivedAt: row.received_at,
    subject: row.subject,
    ...(row.start_version !== null && { startVersion: row.start_version }),
  };
}

const INSERT_PARKED = statement(
  'insert_parked_events',
  `insert into pawl.parked_event
     (id, run_id, workflow, key, event_id, source, type, type_version, subject, payload, digest, received_at, deadline)
   select x."rowId", $1, $2, $3, x.id, x.source, x.type, x."typeVersion", x.subject, x.payload, x.digest, x."receivedAt",
     clock_timestamp() + make_interval(secs => x."parkedMaxMs" / 1000.0)
   from jsonb_to_recordset($4::jsonb) as x ("rowId" uuid, id text, source text, type text, "typeVersion" int, subject text,
     payload jsonb, digest text, "receivedAt" timestamptz, "parkedMaxMs" double precision)`,
);

const REMOVE_PARKED = statement(
  'remove_parked_events',
  `delete from pawl.parked_event p using jsonb_to_recordset($2::jsonb) as x (type text, subject text)
   where p.run_id = $1 and p.type = x.type and p.subject = x.subject returning p.dead_letter_id`,
);

// A statement of its own: a dead letter written while the removal waited for its row is in this snapshot, not in that one. Its verdict may come
// after a person has waived it: then the effect that was called lost is none, or is another row.
const RESOLVE_DEAD_LETTERS = statement(
  'resolve_dead_letters',
  `with found_after_all as (delete from pawl.loss where id = any ($1::uuid[]) and reason = 'waived')
   update pawl.dead_letter set resolved_at = clock_timestamp(), resolution = 'decided', requested = null
   where id = any ($1::uuid[])`,
);

const EXPIRE_PARKED = statement(
  'expire_parked_events',
  `with overdue as (
     select id from pawl.parked_event where deadline <= (select clock_timestamp()) and dead_letter_id is null
     order by deadline limit $1 for update skip locked
   ), expired as (
     update pawl.parked_event p set dead_letter_id = gen_random_uuid() from overdue o where p.id = o.id returning p.*
   )
   insert into pawl.dead_letter (id, origin, message_id, source, workflow, run_key, type, version, payload, reason, rule)
   select dead_letter_id, 'event', event_id, source, workflow, key, type, type_version, payload,
     'parked-deadline', 'it was early for longer than its handler allows' from expired
   returning id`,
);

/** Keeps early events with their run, whose row is locked. */
export async function insertParked(
  tx: Transaction,
  run: Run,
  parked: readonly (ParkedEvent & { readonly parkedMaxMs: number })[],
): Promise<void> {
  const rows = parked.map((event) => ({ ...event, rowId: uuidv7() }));
  await tx.query(INSERT_PARKED, [run.id, run.workflow, run.key, JSON.stringify(rows)]);
}

/** Removes events that have their final verdict; a dead letter for their age needs no person any more. The run's row is locked. */
export async function removeParked(
  tx: Transaction,
  runId: string,
  subjects: readonly { readonly type: string; readonly subject: string }[],
): Promise<void> {
  const removed = await tx.query<{ dead_letter_id: string | null }>(REMOVE_PARKED, [
    runId,
    JSON.stringify(subjects),
  ]);
  const letters = removed.map(({ dead_letter_id: id }) => id).filter((id) => id !== null);
  if (letters.length > 0) await tx.query(RESOLVE_DEAD_LETTERS, [letters]);
}

/**
 * Makes dead letters of events parked past their deadline. They stay with their run, and are applied after all should it become
 * able to take them. Answers how many.
 */
export async function expireParked(tx: Transaction, limit: number): Promise<number> {
  return (await tx.query(EXPIRE_PARKED, [limit])).length;
}
