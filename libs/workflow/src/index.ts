export { allItemsSeen } from './definition/all-items-seen.js';
export type { Duration } from '@pawl/core';
export type { WorkflowDecorators } from './definition/options.js';
export { workflow } from './definition/workflow.js';
export { definitionOf, verify } from './definition/verify.js';
export type { Hint, HintChannel, HintHandler } from './dispatch/hints.js';
export { Definitions } from './engine/definitions.js';
export { StepFailedError, StepTimeoutError } from './engine/step-call.js';
export {
  type EventOptions,
  StartConflictError,
  type Started,
  WorkflowClient,
} from './engine/workflow-client.js';
export { NoEffectError } from './machine/no-effect-error.js';
export { PermanentError } from './machine/permanent-error.js';
export { type Played, PlayedRun } from './machine/played-run.js';
export type { Definition, EventHandler, StepDefinition } from './model/definition.js';
export type { IncomingEvent } from './model/event.js';
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
