import { PawlError, statement } from '@pawl/core';
import type { RunSql } from '@pawl/messaging';
import type { RunStatus } from '../model/run.js';

/** A version of a workflow, and the runs that were started or migrated to it. */
export interface VersionInUse {
  readonly workflow: string;
  readonly version: number;
  /** When a process that has it booted for the first time. */
  readonly firstSeenAt: Date;
  /** How many of its runs have which status; statuses that no run has are left out. */
  readonly runs: Readonly<Partial<Record<RunStatus, number>>>;
  /** Its runs that may still need its code: those that a person may redrive included. */
  readonly unfinished: number;
  /** When the first and the last of its runs were created; null without runs. */
  readonly oldestAt: Date | null;
  readonly newestAt: Date | null;
}

/** Whether the class of a version can be taken out of the service, and what is in the way. */
export interface CanGo {
  readonly workflow: string;
  readonly version: number;
  readonly canGo: boolean;
  /** Whether it is the newest version that was ever run: then runs are started in it. */
  readonly newest: boolean;
  /** Runs that have not ended for good, by status and state. */
  readonly runs: readonly UnfinishedRuns[];
  /** Events that wait for a process that has this version. */
  readonly undecidedEvents: number;
}

export interface UnfinishedRuns {
  readonly status: RunStatus;
  readonly state: string | null;
  readonly count: number;
  readonly oldestAt: Date;
}

/** What may still need the code of its version: a failed run too, for a person may redrive it. */
export const UNFINISHED: readonly RunStatus[] = [
  'running',
  'waiting',
  'paused',
  'compensating',
  'failed',
  'compensation_failed',
];

const VERSIONS_IN_USE = statement(
  'versions_in_use',
  `select d.workflow, d.version, d.first_seen_at as "firstSeenAt",
     coalesce(jsonb_object_agg(u.status, u.count) filter (where u.status is not null), '{}') as runs,
     coalesce(sum(u.count) filter (where u.status = any ($1::text[])), 0)::float8 as unfinished,
     min(u.oldest) as "oldestAt", max(u.newest) as "newestAt"
   from pawl.definition d
   left join (
     select workflow, version, status, count(*) as count, min(created_at) as oldest, max(created_at) as newest
     from pawl.run where version is not null group by workflow, version, status
   ) u using (workflow, version)
   group by d.workflow, d.version, d.first_seen_at order by d.workflow, d.version`,
);

const NEWEST_VERSION = statement(
  'newest_version',
  `select max(version) as newest, coalesce(bool_or(version = $2), false) as known from pawl.definition where workflow = $1`,
);

// By status, which an index leads to: runs that have ended may be many.
const UNFINISHED_RUNS = statement(
  'unfinished_runs',
  `select r.status, r.state, count(*)::float8 as count, min(r.created_at) as "oldestAt" from pawl.run r
   where r.workflow = $1 and r.version = $2 and r.status = any ($3::text[]) group by r.status, r.state order by r.status, r.state`,
);

const UNDECIDED_OF_VERSION = statement(
  'undecided_of_version',
  `select count(*)::float8 as count from pawl.parked_event p join pawl.run r on r.workflow = p.workflow and r.key = p.key
   where p.run_id is null and p.workflow = $1 and r.version = $2`,
);

/** Tells from the tables alone which versions of which workflows are in use: the processes themselves need not be there. */
export class VersionsInUse {
  constructor(private readonly sql: RunSql) {}

  /** By workflow and version. Reads the whole table of runs. */
  async list(): Promise<VersionInUse[]> {
    return this.sql<VersionInUse>(VERSIONS_IN_USE, [UNFINISHED]);
  }

  /**
   * As of now: no process may start runs in that version any more, or the answer is out of date at once. The newest version can never go, for
   * runs are started in it.
   * @throws PawlError `version_unknown`: no process has ever had it
   */
  async canGo(workflow: string, version: number): Promise<CanGo> {
    const [kept] = await this.sql<{ newest: number | null; known: boolean }>(NEWEST_VERSION, [
      workflow,
      version,
    ]);
    if (!kept?.known)
      throw new PawlError('version_unknown', `No process has ever had version ${version} of ${workflow}.`);
    const newest = kept.newest === version;
    const runs = await this.sql<UnfinishedRuns>(UNFINISHED_RUNS, [workflow, version, UNFINISHED]);
    const [undecided] = await this.sql<{ count: number }>(UNDECIDED_OF_VERSION, [workflow, version]);
    const undecidedEvents = undecided?.count ?? 0;
    const canGo = !newest && runs.length === 0 && undecidedEvents === 0;
    return { workflow, version, canGo, newest, runs, undecidedEvents };
  }
}
