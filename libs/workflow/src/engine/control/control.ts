import { PawlError } from '@pawl/core';
import type {
  ControlOrder,
  EffectLeft,
  RedriveTerms,
  SkipTerms,
} from '../../machine/control/control-order.js';
import type { RunStatus } from '../../model/run.js';
import type { WorkflowClass } from '../client/asking-types.js';
import type { ControlOffice, ControlTarget } from './control-office.js';
import type { Definitions } from '../definitions.js';
import type { ForkOffice, ForkTerms } from './fork-office.js';

/** Who asks for something, and why: kept with the run and in `pawl.operator_action`. */
export interface ControlOptions {
  /** 1 to 200 characters. */
  readonly actor: string;
  /** 1 to 1,000 characters. */
  readonly reason: string;
  /** A UUID. What was asked under an id is done once, however often it is asked, and answered as the first time. Default: a new one. */
  readonly id?: string;
}

/** Who carries orders out. */
interface Offices {
  readonly orders: ControlOffice;
  readonly forks: ForkOffice;
}

/** What has become of a run. */
export interface ControlAnswer {
  readonly runId: string;
  readonly status: RunStatus;
  readonly state: string | null;
  /** False: the run was there already. */
  readonly changed: boolean;
  /** Of a run that was terminated: what could have been undone, and stays. */
  readonly left: readonly EffectLeft[];
}

/**
 * What a person can do to a run. Each is decided and written in one transaction, under the run's lock, with who asked for it; each is idempotent, and
 * refused where it can not be.
 *
 * All throw {@link ControlRefusedError} and `run_not_found`; BusyError and DatabaseUnavailableError: nothing was changed; CommitUnknownError: ask again under
 * the same `id`.
 */
export class RunControl {
  constructor(
    private readonly offices: Offices,
    private readonly target: ControlTarget,
  ) {}

  /** Undoes what the run has done, newest first, and ends it as `cancelled`. Refused past the point of no return. */
  async cancel(options: ControlOptions): Promise<ControlAnswer> {
    return this.ask({ action: 'cancel' }, options);
  }

  /** Ends the run as `terminated`. Nothing is undone; what stays is in the answer. */
  async terminate(options: ControlOptions): Promise<ControlAnswer> {
    return this.ask({ action: 'terminate' }, options);
  }

  /** Begins no step and fires no timer until it is resumed. A call under way may end; events are folded. */
  async pause(options: ControlOptions): Promise<ControlAnswer> {
    return this.ask({ action: 'pause' }, options);
  }

  /** The run goes on; its timers fire by the time later that it was paused. */
  async resume(options: ControlOptions): Promise<ControlAnswer> {
    return this.ask({ action: 'resume' }, options);
  }

  /**
   * Lets the run go on from what has stopped it: a step or compensation that has given up gets fresh attempts, one in doubt is asked about again, a
   * quarantine ends. With `data`, a JSON merge patch of the run's data, the step is made again under another idempotency key; that is refused
   * while an attempt may have taken effect, unless you say `assume: 'not-happened'`. `assume: 'happened'` makes it done, with `output`. A step that was
   * lost is made again if it is named.
   */
  async redrive({ actor, reason, id, ...terms }: ControlOptions & RedriveTerms): Promise<ControlAnswer> {
    return this.ask({ action: 'redrive', ...terms }, { actor, reason, ...(id !== undefined && { id }) });
  }

  /** The step that has given up, or is in doubt, counts as done with this output; what it did is never undone by the run. */
  async skip({ actor, reason, id, ...terms }: ControlOptions & SkipTerms): Promise<ControlAnswer> {
    return this.ask({ action: 'skip', ...terms }, { actor, reason, ...(id !== undefined && { id }) });
  }

  /**
   * Makes a new run, under a key of its own, as this one was at a point of its timeline, and lets it go on from there. Steps that were done by then
   * are skipped there, with their outputs: they are this run's to undo. Answers the new run; this one stays as it is.
   */
  async fork({ key, revision, ...options }: ControlOptions & ForkTerms): Promise<ControlAnswer> {
    return this.offices.forks.fork(this.target, { key, revision }, options);
  }

  private async ask(order: ControlOrder, options: ControlOptions): Promise<ControlAnswer> {
    return this.offices.orders.carryOut(this.target, order, options);
  }
}

/** Where people's orders for runs come in. Inject it: `control.of(OrderWorkflow, 'A-1').cancel({ actor, reason })`. */
export class WorkflowControl {
  constructor(
    private readonly offices: Offices,
    private readonly definitions: Definitions,
  ) {}

  /** The run of a workflow with this key. */
  of(workflowClass: WorkflowClass, key: string): RunControl {
    const { workflow } = this.definitions.ofClass(workflowClass);
    return new RunControl(this.offices, { workflow, key });
  }

  /** The run with this id. */
  ofRun(runId: string): RunControl {
    if (!UUID.test(runId)) throw new PawlError('invalid_id', 'The id of a run is a UUID.');
    return new RunControl(this.offices, { runId });
  }
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
