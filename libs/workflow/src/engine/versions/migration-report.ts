import type { MigrationRule } from '../../machine/migrate-run.js';

/** What became of a migration, or would become of it. */
export interface MigrationReport {
  readonly workflow: string;
  readonly from: number;
  readonly to: number;
  /** Nothing was changed. */
  readonly dryRun: boolean;
  /** Runs that are of the new version now. */
  readonly moved: number;
  /** How many from which state to which. */
  readonly moves: readonly {
    readonly from: string | null;
    readonly to: string | null;
    readonly count: number;
  }[];
  /** Events that had waited with these runs and that the new version does not take: dead letters and losses. */
  readonly refusedEvents: number;
  /** Runs that stay what they are. */
  readonly left: number;
  /** The first 100 of them, and why. */
  readonly problems: readonly MigrationProblem[];
}

export interface MigrationProblem {
  /** The run's business key. */
  readonly key: string;
  /** `busy`: somebody was writing it. */
  readonly rule: MigrationRule | 'busy';
  readonly detail: string;
}

/** What became of one run; `gone`: somebody else has migrated or ended it meanwhile. */
export type RunMigrated =
  | {
      readonly kind: 'moved';
      readonly from: string | null;
      readonly to: string | null;
      readonly refusedEvents: number;
    }
  | ({ readonly kind: 'left' } & MigrationProblem)
  | { readonly kind: 'gone' };

const PROBLEMS_MAX = 100;

/** Sums up what became of the runs, one by one. */
export class MigrationTally {
  moved = 0;
  private left = 0;
  private refusedEvents = 0;
  private readonly moves = new Map<string, { from: string | null; to: string | null; count: number }>();
  private readonly problems: MigrationProblem[] = [];

  add(outcome: RunMigrated): void {
    if (outcome.kind === 'moved') this.addMove(outcome);
    if (outcome.kind === 'left') this.addProblem(outcome);
  }

  report(head: Pick<MigrationReport, 'workflow' | 'from' | 'to' | 'dryRun'>): MigrationReport {
    const { moved, left, refusedEvents, problems } = this;
    return { ...head, moved, moves: [...this.moves.values()], refusedEvents, left, problems };
  }

  private addMove({ from, to, refusedEvents }: Extract<RunMigrated, { kind: 'moved' }>): void {
    const way = JSON.stringify([from, to]);
    const count = (this.moves.get(way)?.count ?? 0) + 1;
    this.moves.set(way, { from, to, count });
    this.moved += 1;
    this.refusedEvents += refusedEvents;
  }

  private addProblem({ key, rule, detail }: MigrationProblem): void {
    this.left += 1;
    if (this.problems.length < PROBLEMS_MAX) this.problems.push({ key, rule, detail });
  }
}
