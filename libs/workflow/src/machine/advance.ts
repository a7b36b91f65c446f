import { invariant } from '@pawl/core';
import type { Change } from '../model/change.js';
import type { Definition } from '../model/definition.js';
import type { DueTimer, IncomingEvent, ParkedEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { AskedUpdate, UpdateVerdict } from '../model/update.js';
import type { Decision, Receipt } from '../model/verdict.js';
import { ChangeDraft } from './change-draft.js';
import { judge } from './decide.js';
import type { Facts } from './facts.js';
import { fireTimer } from './timers/fire-timer.js';
import { foldEvent } from './fold.js';
import { inOneOrder } from './parked-order.js';
import { isOver } from './is-over.js';
import { makeUpdate } from './make-update.js';
import { type Recognised, recognise } from './recognise.js';
import { timersAfter } from './timers/timers.js';
import { UserCodeError } from './user-code.js';

/** What happens to a run: an event has come, or a timer's instant, or somebody asks for an update. */
export type Input = IncomingEvent | DueTimer | AskedUpdate;

export interface AdvanceInput extends Facts {
  readonly inputs: readonly Input[];
}

/**
 * All that follows from some inputs for one run. They are taken by their instants, so a timer can not overtake an event
 * that came in time (D30); after every change the parked events are decided again, to a fixed point (D4). They are
 * decided before the first input too, for what a step may have changed meanwhile. Pure: nothing given is changed.
 */
export function advance(definition: Definition, run: Run, { inputs, ...facts }: AdvanceInput): Change {
  invariant(
    run.workflow === definition.workflow &&
      (isOver(run) || (run.version ?? definition.version) === definition.version),
    'A run is advanced by its own definition, until it is over',
    { run: run.id, version: run.version, definition: `${definition.workflow} ${definition.version}` },
  );
  const draft = new ChangeDraft(run, facts);
  const receipts = new Map<Input, Receipt>();
  const verdicts = new Map<Input, UpdateVerdict>();
  settleParked(definition, draft);
  for (const input of byInstant(inputs)) {
    if (isTimer(input)) {
      if (fireTimer(definition, draft, input)) settleParked(definition, draft);
    } else if (isUpdate(input)) {
      verdicts.set(input, ask(definition, draft, input));
    } else {
      const decision = take(definition, draft, input);
      if (decision.verdict === 'applied') settleParked(definition, draft);
      receipts.set(input, draft.receipt(decision));
    }
  }
  draft.setTimers(timersAfter(definition, run, draft.run, draft.overtaken));
  return draft.finish(
    inputs.flatMap((input) => receipts.get(input) ?? []),
    inputs.flatMap((input) => verdicts.get(input) ?? []),
  );
}

/** Decides one update, and makes it if it is to be made. */
function ask(definition: Definition, draft: ChangeDraft, update: AskedUpdate): UpdateVerdict {
  const { verdict, run } = makeUpdate(definition, draft.run, update);
  if (run && verdict.verdict === 'answered') {
    draft.update(run, update, verdict.answer);
    settleParked(definition, draft);
  }
  return verdict;
}

/** Decides one event and does what its verdict asks for. */
function take(definition: Definition, draft: ChangeDraft, event: IncomingEvent): Decision {
  const recognised = recognise(definition, draft.run, event);
  if ('verdict' in recognised) {
    draft.reject(event, '', recognised);
    return recognised;
  }
  const decision = applyIfAccepted(
    definition,
    draft,
    recognised,
    judge(definition, draft.run, recognised, draft.factsNow),
  );
  const { handler, subject } = recognised;
  if (decision.verdict === 'early') draft.park(recognised, decision);
  if (decision.verdict === 'rejected') draft.reject(event, subject.text, decision);
  if (decision.verdict === 'duplicate' || decision.verdict === 'late') {
    draft.repeat(event, subject.text, decision, handler.late);
  }
  return decision;
}

/** Folds an accepted event; one whose handler fails is rejected and changes nothing. */
function applyIfAccepted(
  definition: Definition,
  draft: ChangeDraft,
  recognised: Recognised,
  decision: Decision,
): Decision {
  if (decision.verdict !== 'applied') return decision;
  try {
    draft.accept(foldEvent(definition, draft.run, recognised), recognised, decision);
    return decision;
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    return { verdict: 'rejected', rule: 'handler-failed', detail: error.message };
  }
}

/** Every round but the last takes at least one event out of the parked ones, so it ends. */
function settleParked(definition: Definition, draft: ChangeDraft): void {
  const decided = inOneOrder(definition, draft.factsNow.parked).filter((event) =>
    settle(definition, draft, event),
  );
  if (decided.length > 0) settleParked(definition, draft);
}

/**
 * Decides a parked event again; answers whether that was its final verdict. What this version does not know waits until the run has a version: it may
 * be started in another one, by a process of another release.
 */
function settle(definition: Definition, draft: ChangeDraft, event: ParkedEvent): boolean {
  const recognised = recognise(definition, draft.run, event);
  const stays =
    'verdict' in recognised
      ? draft.run.version === null
      : judge(definition, draft.run, recognised, draft.factsNow).verdict === 'early';
  if (stays) return false;
  draft.unpark(event);
  take(definition, draft, event);
  return true;
}

/** At one instant the event, or update, goes first: it came in time. */
function byInstant(inputs: readonly Input[]): Input[] {
  return inputs.toSorted((a, b) => instantOf(a) - instantOf(b) || Number(isTimer(a)) - Number(isTimer(b)));
}

function instantOf(input: Input): number {
  if (isTimer(input)) return input.fireAt.getTime();
  return (isUpdate(input) ? input.askedAt : input.receivedAt).getTime();
}

function isTimer(input: Input): input is DueTimer {
  return 'fireAt' in input;
}

function isUpdate(input: Input): input is AskedUpdate {
  return 'askedAt' in input;
}
