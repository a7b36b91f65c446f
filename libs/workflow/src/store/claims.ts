import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { StepRecord } from '../model/step-record.js';
import { RUN_COLUMNS, type RunRow, toRun } from './run-row.js';
import { STEPS_OF_RUN, type StepRow, toStepRecords } from './step-record.js';

/** The workflow versions that this process has. */
export type KnownVersions = readonly { readonly workflow: string; readonly version: number }[];

/** A run that this process holds for a while. */
export interface Claim {
  readonly run: Run;
  /** Raised by each claim: a write under an older one hits no row. */
  readonly fencingToken: number;
  /** Claims since the last progress, this one included. */
  readonly claims: number;
  readonly steps: readonly StepRecord[];
}

interface ClaimRow extends RunRow {
  readonly fencing_token: number;
  readonly claims: number;
  readonly steps: readonly StepRow[];
}

const CLAIMED_COLUMNS = `${RUN_COLUMNS}, r.fencing_token::float8 as fencing_token, r.claims, ${STEPS_OF_RUN} as steps`;

/** Its parameters, from `first` on: claimsMax, workflows, versions. */
const isClaimable = (first: number): string =>
  `r.status in ('running', 'compensating') and r.due_at <= clock_timestamp() and r.claims < $${first}
  and (r.workflow, r.version) in (select * from unnest($${first + 1}::text[], $${first + 2}::int[]))`;

// SKIP LOCKED: a claim waits for nobody. In id order, as every batch.
const TAKE = `update pawl.run r set fencing_token = r.fencing_token + 1, claims = r.claims + 1,
    lease_until = clock_timestamp() + make_interval(secs => $2 / 1000.0),
    due_at = clock_timestamp() + make_interval(secs => $2 / 1000.0)
  from chosen where r.id = chosen.id returning ${CLAIMED_COLUMNS}`;

const CLAIM_NAMED = statement(
  'claim_named',
  `with chosen as (
     select r.id from pawl.run r where r.id = any ($1::uuid[]) and ${isClaimable(3)}
     order by r.id for no key update skip locked
   ) ${TAKE}`,
);

const STILL_CLAIMABLE = statement(
  'still_claimable',
  `select r.id from pawl.run r where r.id = any ($1::uuid[]) and ${isClaimable(2)}`,
);

// The clock is asked once, by a subquery: of a volatile function the index knows nothing, and each pass would read all that is not due yet.
const CLAIM_OVERDUE = statement(
  'claim_overdue',
  `with oldest as (
     select r.id from pawl.run r
     where r.due_at <= (select clock_timestamp()) - make_interval(secs => $6 / 1000.0) and ${isClaimable(3)}
     order by r.due_at limit $1
   ), chosen as (
     select r.id from pawl.run r join oldest using (id) where ${isClaimable(3)} order by r.id for no key update of r skip locked
   ) ${TAKE}`,
);

// SKIP LOCKED: a run that is being written right now is neither renewed nor lost; it is renewed at the next turn. One that has failed has no lease, but
// nobody claims it: a call that was under way beside the step that failed goes on, and its outcome counts.
const RENEW = statement(
  'renew_leases',
  `with held as (
     select r.id, r.fencing_token, r.status, h.token from pawl.run r
     join unnest($1::uuid[], $2::bigint[]) as h (id, token) on h.id = r.id
     order by r.id for no key update of r skip locked
   ), renewed as (
     update pawl.run r set lease_until = clock_timestamp() + make_interval(secs => $3 / 1000.0),
       due_at = clock_timestamp() + make_interval(secs => $3 / 1000.0)
     from held where r.id = held.id and held.fencing_token = held.token and r.lease_until is not null
     returning r.id
   )
   select held.id, renewed.id is not null or held.fencing_token = held.token and held.status = 'failed' as renewed
   from held left join renewed on renewed.id = held.id`,
);

// In good order: the claim made no progress, but nothing crashed either (D31), so claims starts again.
const RELEASE = statement(
  'release_run',
  `with held as (
     select id, revision from pawl.run where id = $1 and fencing_token = $2 for no key update
   ), released as (
     update pawl.run r set lease_until = null, claims = 0,
       due_at = case when r.status in ('running', 'compensating') and $4::float8 is not null
                     then clock_timestamp() + make_interval(secs => $4 / 1000.0) end,
       dispatch = r.dispatch + 1
     from held where r.id = held.id and held.revision = $3
     returning r.id, r.dispatch
   )
   select released.id is not null as released, released.dispatch::float8 as dispatch
   from held left join released on true`,
);

// Closes D2: the row lock waits for the transaction whose COMMIT is in doubt; after it, its records are there or never will be.
const TAKE_OVER = statement(
  'take_over_run',
  `update pawl.run r set fencing_token = r.fencing_token + 1,
     lease_until = case when r.status in ('running', 'compensating') then clock_timestamp() + make_interval(secs => $3 / 1000.0) end,
     due_at = case when r.status in ('running', 'compensating') then clock_timestamp() + make_interval(secs => $3 / 1000.0) end
   where r.id = $1 and r.fencing_token = $2 returning r.id`,
);

const READ_CLAIMED = statement(
  'read_claimed_run',
  `select ${CLAIMED_COLUMNS} from pawl.run r where r.id = $1 and r.fencing_token = $2`,
);

const QUARANTINE = statement(
  'quarantine_runs',
  `with poisonous as (
     select id from pawl.run where due_at <= (select clock_timestamp()) and status in ('running', 'compensating') and claims >= $1
     order by due_at limit $2 for no key update skip locked
   )
   update pawl.run r set due_at = null, lease_until = null, fencing_token = r.fencing_token + 1,
     attention = concat_ws('; ', r.attention, 'quarantined: ' || r.claims || ' claims without progress'),
     updated_at = clock_timestamp()
   from poisonous where r.id = poisonous.id returning r.id`,
);

export interface ClaimOptions {
  readonly leaseMs: number;
  /** A run claimed this often without progress is left for quarantine. */
  readonly claimsMax: number;
  readonly known: KnownVersions;
}

/**
 * Claims those of the named runs that are due and that nobody holds. `locked` are due as well, but somebody was writing them: who does so need not send
 * another hint (a duplicate, a transaction that rolls back), so they are to be looked at again in a moment.
 */
export async function claimNamed(
  tx: Transaction,
  ids: readonly string[],
  options: ClaimOptions,
): Promise<{ claims: Claim[]; locked: string[] }> {
  const claims = (await tx.query<ClaimRow>(CLAIM_NAMED, [ids, ...claimValues(options)])).map(toClaim);
  if (claims.length === ids.length) return { claims, locked: [] };
  const rows = await tx.query<{ id: string }>(STILL_CLAIMABLE, [ids, ...whatIsClaimable(options)]);
  return { claims, locked: rows.map(({ id }) => id) };
}

/** Claims runs that have been due for longer than `overdueMs`: their hint was lost, or their worker. */
export async function claimOverdue(
  tx: Transaction,
  { limit, overdueMs, ...options }: ClaimOptions & { readonly limit: number; readonly overdueMs: number },
): Promise<Claim[]> {
  return (await tx.query<ClaimRow>(CLAIM_OVERDUE, [limit, ...claimValues(options), overdueMs])).map(toClaim);
}

/** Extends leases. A run that is missing in the answer was being written and is to be renewed again soon. */
export async function renew(
  tx: Transaction,
  held: readonly { readonly id: string; readonly fencingToken: number }[],
  leaseMs: number,
): Promise<{ id: string; renewed: boolean }[]> {
  return tx.query(RENEW, [held.map(({ id }) => id), held.map(({ fencingToken }) => fencingToken), leaseMs]);
}

export type Released =
  { readonly kind: 'released'; readonly dispatch: number } | { readonly kind: 'changed' | 'lost' };

/**
 * Gives a run back: due again in `dueInMs` (null: not before an event or timer). Only if its revision is still the one given; otherwise an event
 * came that may have made steps due, and whoever holds it looks again.
 */
export async function release(
  tx: Transaction,
  claim: { readonly id: string; readonly fencingToken: number; readonly revision: number },
  dueInMs: number | null,
): Promise<Released> {
  const values = [claim.id, claim.fencingToken, claim.revision, dueInMs];
  const [row] = await tx.query<{ released: boolean; dispatch: number }>(RELEASE, values);
  if (row === undefined) return { kind: 'lost' };
  return row.released ? { kind: 'released', dispatch: row.dispatch } : { kind: 'changed' };
}

/** Raises the token of a run this process holds, after a COMMIT in doubt. Answers the new token, or undefined if the run is lost. */
export async function takeOver(
  tx: Transaction,
  {
    id,
    fencingToken,
    leaseMs,
  }: { readonly id: string; readonly fencingToken: number; readonly leaseMs: number },
): Promise<number | undefined> {
  const rows = await tx.query(TAKE_OVER, [id, fencingToken, leaseMs]);
  return rows.length === 0 ? undefined : fencingToken + 1;
}

/** The newest state of a run under this process's token; undefined if it is lost. */
export async function readClaimed(
  tx: Transaction,
  id: string,
  fencingToken: number,
): Promise<Claim | undefined> {
  const [row] = await tx.query<ClaimRow>(READ_CLAIMED, [id, fencingToken]);
  return row && toClaim(row);
}

/** Takes runs out of circulation whose claims end without progress; a person sees to them. Answers how many. */
export async function quarantine(tx: Transaction, claimsMax: number, limit: number): Promise<number> {
  return (await tx.query(QUARANTINE, [claimsMax, limit])).length;
}

function claimValues(options: ClaimOptions): unknown[] {
  return [options.leaseMs, ...whatIsClaimable(options)];
}

function whatIsClaimable({ claimsMax, known }: ClaimOptions): unknown[] {
  return [claimsMax, known.map(({ workflow }) => workflow), known.map(({ version }) => version)];
}

function toClaim(row: ClaimRow): Claim {
  return {
    run: toRun(row),
    fencingToken: row.fencing_token,
    claims: row.claims,
    steps: toStepRecords(row.steps),
  };
}
