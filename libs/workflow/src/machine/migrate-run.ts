import type { JournalEntry } from '../model/change.js';
import type { Definition, MigrationDefinition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import { isSettled, type StepRecord } from '../model/step-record.js';
import { isPastNoReturn } from './steps/no-return.js';
import { restingOrRunning } from './steps/steps.js';
import { isStorable, storableText } from './storable.js';
import { tookEffect, toUndo } from './steps/undo.js';
import { callUserCode, UserCodeError } from './user-code.js';

/** What a migration has to know beyond the run's own row. */
export interface MigrationFacts {
  readonly run: Run;
  /** Those of its round. */
  readonly records: readonly StepRecord[];
  /** A worker holds the run. */
  readonly held: boolean;
  /** The steps of the old version that have a compensation. */
  readonly compensable: ReadonlySet<string>;
}

/** Why a run stays what it is. Stable names: they are shown and documented. */
export type MigrationRule =
  /** A worker holds it; in a moment it may move. */
  | 'held'
  /** Something of it is being undone, or could not be. */
  | 'undoing'
  /** A step is under way, waits for its next attempt, or is in doubt. */
  | 'step-open'
  /** A step has failed that the new version does not have in the new state: nobody could redrive it. */
  | 'failed-step-unknown'
  /** A step is done whose compensation the new version does not have: nobody could undo it. */
  | 'compensation-unknown'
  /** A step that can not be taken back has begun, and the new version does not say so of it: it would undo what is before it. */
  | 'no-return-unknown'
  /** The method threw, or what it answers is no run. */
  | 'migration-failed'
  /** The new version has no such state. */
  | 'state-unknown'
  /** The state is a final one: runs end by what happens to them. */
  | 'state-final';

export type Migrated =
  | { readonly kind: 'moves'; readonly run: Run; readonly entry: JournalEntry }
  | { readonly kind: 'stays'; readonly rule: MigrationRule; readonly detail: string };

/**
 * The run in the new version, or why it stays. Position grows within a version only: a migration says anew where the run stands, and is journaled. Records
 * of done steps stay, under their names: a step of the new version that has such a name counts as done, and any other of its state is run.
 */
export function migrateRun(
  definition: Definition,
  migration: MigrationDefinition,
  facts: MigrationFacts,
): Migrated {
  const hindrance = hindranceOf(definition, facts);
  if (hindrance) return hindrance;
  const { run, records } = facts;
  const next = migrated(definition, migration, run);
  if ('kind' in next) return next;
  const failed = failedIn(definition, next.state, records);
  if (failed) {
    const detail = `step ${failed.name} has failed, and version ${definition.version} does not have it in ${next.state}: skip it, or redrive it before`;
    return { kind: 'stays', rule: 'failed-step-unknown', detail };
  }
  const moved = { ...run, ...next, version: definition.version, revision: run.revision + 1 };
  return { kind: 'moves', run: withStatus(definition, moved, records), entry: entryOf(run, moved) };
}

function hindranceOf(
  definition: Definition,
  { run, records, held, compensable }: MigrationFacts,
): Extract<Migrated, { kind: 'stays' }> | undefined {
  const stays = (rule: MigrationRule, detail: string) => ({ kind: 'stays' as const, rule, detail });
  if (held) return stays('held', 'a worker holds it');
  if (run.undo !== null)
    return stays('undoing', `it is ${run.status}: what it did is undone by the code of its version`);
  const open = records.find(({ kind, status, abandoned }) => kind === 'step' && !abandoned && isOpen(status));
  if (open) return stays('step-open', `step ${open.name} is ${open.status.replace('_', ' ')}`);
  const knows = (name: string) => definition.steps.some((step) => step.name === name && step.compensation);
  const lost = records.find(
    (record) =>
      record.kind === 'step' && tookEffect(record) && compensable.has(record.name) && !knows(record.name),
  );
  if (lost && !run.noReturn) {
    const detail = `step ${lost.name} is ${lost.status}, and version ${definition.version} has no compensation for it`;
    return stays('compensation-unknown', detail);
  }
  if (run.noReturn && !isPastNoReturn(definition, records)) {
    const detail = `a step that can not be taken back has begun, and version ${definition.version} has none such among those that are done`;
    return stays('no-return-unknown', detail);
  }
  const [undoing] = toUndo(definition, { ...run, status: 'running' }, records);
  return (
    undoing && stays('undoing', `step ${undoing.step.name}, which the run has left open, is being undone`)
  );
}

function isOpen(status: StepRecord['status']): boolean {
  return !isSettled({ status }) && status !== 'failed';
}

function failedIn(
  { steps }: Definition,
  state: string,
  records: readonly StepRecord[],
): StepRecord | undefined {
  return records.find(
    ({ kind, status, abandoned, name }) =>
      kind === 'step' &&
      status === 'failed' &&
      !abandoned &&
      !steps.some((step) => step.name === name && step.in === state),
  );
}

function migrated(
  { version, states, final }: Definition,
  { member, migrate }: MigrationDefinition,
  { state, data }: Run,
): { state: string; data: unknown } | Extract<Migrated, { kind: 'stays' }> {
  const stays = (rule: MigrationRule, detail: string) => ({ kind: 'stays' as const, rule, detail });
  try {
    const answer = callUserCode(member, () => migrate({ state: state ?? '', data: structuredClone(data) }));
    const next = (answer ?? {}) as { state?: unknown; data?: unknown };
    if (typeof next.state !== 'string' || !states.includes(next.state))
      return stays('state-unknown', `version ${version} has no state ${storableText(String(next.state))}`);
    if (final.includes(next.state))
      return stays('state-final', `${next.state} is final, and a migration ends no run`);
    return { state: next.state, data: callUserCode(member, () => asStored(next.data)) };
  } catch (error) {
    if (error instanceof UserCodeError) return stays('migration-failed', error.message);
    throw error;
  }
}

/** As the database gives it back. */
function asStored(data: unknown): unknown {
  const json = JSON.stringify(data) as string | undefined;
  if (json === undefined || !json.startsWith('{')) throw new Error('its data is no object');
  if (!isStorable(json)) throw new Error('its data contains what PostgreSQL can not store');
  return JSON.parse(json);
}

/** Who has paused it resumes it, and who redrives it redrives it; else it runs if a step of its state is not done. */
function withStatus(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  if (run.status === 'paused' || run.status === 'failed') return run;
  return restingOrRunning(definition, { ...run, status: 'running' }, records);
}

function entryOf(before: Run, { version, state, revision }: Run): JournalEntry {
  return {
    revision,
    kind: 'control',
    name: 'migrate',
    subject: '',
    verdict: null,
    rule: null,
    detail: `from version ${before.version} to ${version}`,
    fromState: before.state,
    toState: state,
    digest: null,
    payload: { from: before.version, to: version },
    eventId: null,
    source: null,
  };
}
