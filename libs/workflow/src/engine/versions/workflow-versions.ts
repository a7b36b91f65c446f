import { BusyError, crashPoint, PawlError, type Transaction, type Transactions } from '@pawl/core';
import type { Hints } from '../../dispatch/hints.js';
import { isOver } from '../../machine/is-over.js';
import { migrateRun } from '../../machine/migrate-run.js';
import { storableText } from '../../machine/storable.js';
import { UserCodeError } from '../../machine/user-code.js';
import type { Definition, MigrationDefinition } from '../../model/definition.js';
import { type LockedRun, lockRun } from '../../store/lock-runs.js';
import {
  compensableSteps,
  migrationFacts,
  refusedEvents,
  type RunToMigrate,
  runsToMigrate,
  writeMigrated,
} from '../../store/migrate-runs.js';
import { migrateTimers } from '../../store/migrate-timers.js';
import { type CanGo, type VersionInUse, VersionsInUse } from '../../store/versions-in-use.js';
import type { Definitions } from '../definitions.js';
import { type MigrationReport, MigrationTally, type RunMigrated } from './migration-report.js';
import type { RunAdvancer } from '../receive/run-advancer.js';
import type { WorkflowClass } from '../client/workflow-client.js';

export interface MigrationOptions {
  /** The version whose runs are migrated. */
  readonly from: number;
  /** Does the same, run by run, and rolls it back. Default false. */
  readonly dryRun?: boolean;
  /** How many runs are to move, at most: a few first, then the others. Default all. */
  readonly limit?: number;
  /** Who wants it, and why: kept with each run that moves. */
  readonly actor: string;
  readonly reason: string;
}

/** What a migration is made of, for each of its runs. */
interface Task extends Required<MigrationOptions> {
  readonly definition: Definition;
  readonly migration: MigrationDefinition;
  readonly compensable: ReadonlySet<string>;
}

const PAGE = 100;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const TEXT_LENGTH_MAX = { actor: 200, reason: 1_000 };

/** Tells which versions of workflows are in use and whether one can go, and migrates runs to a newer version. */
export class WorkflowVersions {
  private readonly versions: VersionsInUse;

  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly advancer: RunAdvancer,
    private readonly hints: Hints,
  ) {
    this.versions = new VersionsInUse((sql, values) => transactions.run((tx) => tx.query(sql, values)));
  }

  /** Every version that a process has ever had, with its runs by status. */
  async inUse(): Promise<VersionInUse[]> {
    return this.versions.list();
  }

  /**
   * Whether the class of a version can be taken out, and what is in the way: runs that have not ended for good, events that wait for it.
   * @throws PawlError `version_unknown`
   */
  async canGo(workflow: string, version: number): Promise<CanGo> {
    return this.versions.canGo(workflow, version);
  }

  /**
   * Makes runs of an earlier version runs of the version of the given class, by its `@Migrate`. Each in a transaction of its own, under its row lock: state,
   * data, timers, the events that wait with it, journal and operator's record together, or nothing. Runs that can not move are left and listed, and so
   * does a crash leave those that were not reached: the same call again goes on with them.
   * @throws PawlError `migration_missing`: the class has no `@Migrate` from that version; `migration_invalid`: actor, reason or limit
   * @throws DatabaseUnavailableError, CommitUnknownError: the same call again goes on
   */
  async migrate(workflowClass: WorkflowClass, options: MigrationOptions): Promise<MigrationReport> {
    const task = await this.taskOf(workflowClass, options);
    const { definition, from, dryRun, limit } = task;
    const { workflow, version: to } = definition;
    const tally = new MigrationTally();
    for (let after = FIRST_ID; tally.moved < limit;) {
      const page = await this.transactions.run((tx) =>
        runsToMigrate(tx, { workflow, from, after, limit: Math.min(PAGE, limit - tally.moved) }),
      );
      const last = page.at(-1);
      if (last === undefined) break;
      for (const run of page) tally.add(await this.migrateOne(run, task));
      after = last.id;
    }
    return tally.report({ workflow, from, to, dryRun });
  }

  private async taskOf(workflowClass: WorkflowClass, options: MigrationOptions): Promise<Task> {
    const { dryRun = false, limit = Number.MAX_SAFE_INTEGER, ...given } = options;
    for (const name of ['actor', 'reason'] as const)
      assertValid(
        isText(given[name], TEXT_LENGTH_MAX[name]),
        `${name} is not a text of 1 to ${TEXT_LENGTH_MAX[name]} characters`,
      );
    assertValid(Number.isInteger(limit) && limit > 0, `limit ${limit} is not a whole number from 1 on`);
    const definition = this.definitions.ofClass(workflowClass);
    const { workflow, version, migrations } = definition;
    const migration = migrations.find(({ from }) => from === given.from);
    if (!migration)
      throw new PawlError(
        'migration_missing',
        `Version ${version} of ${workflow} has no @Migrate({ from: ${given.from} }): say what becomes of state and data.`,
      );
    const compensable = await this.transactions.run((tx) => compensableSteps(tx, workflow, given.from));
    return { ...given, dryRun, limit, definition, migration, compensable };
  }

  private async migrateOne({ id, key }: RunToMigrate, task: Task): Promise<RunMigrated> {
    try {
      const outcome = await this.transactions.run(async (tx) => {
        const attempt = await this.attempt(tx, id, task);
        if (task.dryRun) throw new RolledBack(attempt);
        crashPoint('migration.before-commit');
        return attempt;
      });
      crashPoint('migration.between-runs');
      return outcome;
    } catch (error) {
      if (error instanceof RolledBack) return error.outcome;
      if (error instanceof BusyError)
        return { kind: 'left', key, rule: 'busy', detail: 'somebody is writing it' };
      if (error instanceof UserCodeError)
        return { kind: 'left', key, rule: 'migration-failed', detail: error.message };
      throw error;
    }
  }

  private async attempt(tx: Transaction, runId: string, task: Task): Promise<RunMigrated> {
    const { definition, migration, from, compensable, actor, reason } = task;
    const locked = await lockRun(tx, runId);
    if (locked?.run.version !== from || isOver(locked.run)) return { kind: 'gone' };
    const facts = await migrationFacts(tx, runId);
    const migrated = migrateRun(definition, migration, { run: locked.run, compensable, ...facts });
    const { key, state } = locked.run;
    if (migrated.kind === 'stays') return { ...migrated, kind: 'left', key };
    const entry = { ...migrated.entry, detail: `${actor}: ${reason} (${migrated.entry.detail})` };
    const dispatch = await writeMigrated(tx, { run: migrated.run, entry, actor, reason });
    await migrateTimers(tx, migrated.run, definition, { before: state, at: locked.at });
    await this.decideAgain(tx, { ...locked, run: migrated.run });
    if (migrated.run.status === 'running') this.hints.afterCommit(tx, { runId, dispatch });
    return {
      kind: 'moved',
      from: state,
      to: migrated.run.state,
      refusedEvents: await refusedEvents(tx, locked.run),
    };
  }

  /** What waits with the run is decided by its new version before COMMIT; a timer that is due by it fires. */
  private async decideAgain(tx: Transaction, locked: LockedRun): Promise<void> {
    const timerDue = ['running', 'waiting'].includes(locked.run.status);
    await this.advancer.advance(tx, { ...locked, timerDue }, []);
  }
}

/** Carries what would have become of a run out of the transaction that is rolled back. */
class RolledBack extends Error {
  constructor(readonly outcome: RunMigrated) {
    super('This was a dry run.');
  }
}

function isText(value: unknown, lengthMax: number): boolean {
  const isKept = (text: string): boolean =>
    text.trim() !== '' && text.length <= lengthMax && storableText(text) === text;
  return typeof value === 'string' && isKept(value);
}

function assertValid(valid: boolean, problem: string): void {
  if (!valid) throw new PawlError('migration_invalid', `This migration can not be made: ${problem}.`);
}
