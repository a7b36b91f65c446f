export { allItemsSeen } from './definition/all-items-seen.js';
export type { Duration } from '@pawl/core';
export type { StatusPosition, UpdateOptions } from './definition/asking-options.js';
export type { WorkflowDecorators } from './definition/options.js';
export { workflow } from './definition/workflow.js';
export { definitionOf, verify } from './definition/verify.js';
export type { Hint, HintChannel, HintHandler } from './dispatch/hints.js';
export {
  type ControlAnswer,
  type ControlOptions,
  RunControl,
  WorkflowControl,
} from './engine/control/control.js';
export type { ForkTerms } from './engine/control/fork-office.js';
export { ControlRefusedError } from './engine/control/control-refused-error.js';
export { Definitions } from './engine/definitions.js';
export { StepTimeoutError } from './engine/attempt/step-call.js';
export type {
  AnswerOf,
  QueryArguments,
  QueryName,
  StatusOf,
  UpdateArguments,
  UpdateName,
  WorkflowClass,
} from './engine/client/asking-types.js';
export { RunNotFoundError } from './engine/client/run-not-found-error.js';
export { UpdateFailedError } from './engine/client/run-updates.js';
export type { Waited, WaitOptions } from './engine/client/run-waits.js';
export {
  type AskOptions,
  type EventOptions,
  StartConflictError,
  type Started,
  WorkflowClient,
} from './engine/client/workflow-client.js';
export type { EffectLeft, RedriveTerms, RefusalCode, SkipTerms } from './machine/control/control-order.js';
export type { ItemsOutput } from './machine/steps/items.js';
export { NoEffectError } from './machine/steps/no-effect-error.js';
export type { MigrationProblem, MigrationReport } from './engine/versions/migration-report.js';
export { type MigrationOptions, WorkflowVersions } from './engine/versions/workflow-versions.js';
export { PermanentError } from './machine/steps/permanent-error.js';
export { StepDeadlineError } from './machine/steps/step-deadline-error.js';
export { type Played, PlayedRun } from './machine/played-run.js';
export type { PublicStatus } from './machine/public-status.js';
export type { Reached } from './machine/reached.js';
export { UpdateRefusedError } from './machine/update-refused-error.js';
export type { Definition, EventHandler, StepDefinition } from './model/definition.js';
export type { IncomingEvent } from './model/event.js';
export type { UpdateRule } from './model/update.js';
export type { Run, RunStatus } from './model/run.js';
export {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  happened,
  type StepContext,
  type StepRequest,
  unknown,
} from './model/step-context.js';
export type { Decision, Receipt, Rule, Verdict } from './model/verdict.js';
export { WorkflowModule } from './module/workflow.module.js';
export type { WorkflowOptions } from './module/workflow-options.js';
export { WorkflowRuntime } from './module/workflow-runtime.js';
export { TooManyAwaitedError } from './store/lock-runs.js';
export {
  type ActionRecord,
  type JournalRecord,
  RunReader,
  type RunFilter,
  type RunRecord,
  type RunSummary,
  type StepRecord,
} from './store/run-reader.js';
export {
  type CanGo,
  type UnfinishedRuns,
  type VersionInUse,
  VersionsInUse,
} from './store/versions-in-use.js';
