import type { Definition } from '../model/definition.js';
import type { IncomingEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { Decision } from '../model/verdict.js';
import { countConflict } from './announced-count.js';
import type { Facts } from './facts.js';
import { runLimits } from './limits.js';
import { itemsOf, itemsSeen, markOf } from './marks.js';
import { type Recognised, recognise } from './recognise.js';
import { seenBefore, seenParked } from './seen.js';
import { callUserCode, UserCodeError } from './user-code.js';

/**
 * What becomes of an event, and by which rule. Pure: the same run, event and facts give the same answer, nothing is
 * changed. The README beside this file lists the rules in the order in which they are asked.
 */
export function decide(definition: Definition, run: Run, event: IncomingEvent, facts: Facts): Decision {
  const recognised = recognise(definition, run, event);
  return 'verdict' in recognised ? recognised : judge(definition, run, recognised, facts);
}

/** The rules for an event that the workflow knows. */
export function judge(definition: Definition, run: Run, recognised: Recognised, facts: Facts): Decision {
  try {
    return (
      seenBefore(run, recognised, facts) ??
      seenParked(recognised, facts) ??
      countConflict(definition, run, recognised, facts) ??
      beforeTheStart(run, recognised, facts) ??
      tooLate(recognised) ??
      pastNoReturn(run, recognised) ??
      tooEarly(run, recognised, facts) ??
      beyondCap(run, recognised) ?? {
        verdict: 'applied',
        rule: recognised.handler.start ? 'started' : 'accepted',
      }
    );
  } catch (error) {
    if (error instanceof UserCodeError) {
      return { verdict: 'rejected', rule: 'handler-failed', detail: error.message };
    }
    throw error;
  }
}

function beforeTheStart(run: Run, recognised: Recognised, facts: Facts): Decision | undefined {
  if (run.status !== 'awaited' || recognised.handler.start) return undefined;
  return park(recognised, facts, { verdict: 'early', rule: 'run-not-started' });
}

function tooLate({ accepted, reachable, event }: Recognised): Decision | undefined {
  if (accepted || reachable) return undefined;
  const detail = `no state ahead accepts ${event.type}`;
  return { verdict: 'late', rule: 'never-applied', detail };
}

/** What can not be taken back any more is not: the event comes too late, although its state accepts it. */
function pastNoReturn(run: Run, { handler, accepted }: Recognised): Decision | undefined {
  if (!accepted || !handler.undo || !run.noReturn) return undefined;
  const detail = `${handler.member} would undo what can not be taken back any more`;
  return { verdict: 'late', rule: 'past-no-return', detail };
}

function tooEarly(run: Run, recognised: Recognised, facts: Facts): Decision | undefined {
  const { handler, event, accepted } = recognised;
  if (!accepted) {
    if (run.status === 'failed')
      return park(recognised, facts, {
        verdict: 'early',
        rule: 'run-failed',
        detail: 'it waits for a redrive',
      });
    const detail = `${event.type} waits for ${handler.in.join(' or ')}`;
    return park(recognised, facts, { verdict: 'early', rule: 'state-not-reached', detail });
  }
  const { when: guard, member } = handler;
  if (!guard) return undefined;
  const holds = callUserCode(`${member}'s guard ${guard.name}`, () =>
    guard.holds(run.data, event.payload, itemsSeen(run)),
  );
  return holds
    ? undefined
    : park(recognised, facts, { verdict: 'early', rule: 'guard-not-met', detail: guard.name });
}

/** What is parked already stays, whatever the limit; one more does not come in beyond it. */
function park({ event }: Recognised, { parked }: Facts, early: Decision): Decision {
  if (parked.length < runLimits.parkedMax || parked.some((one) => one === event)) return early;
  const detail = `${runLimits.parkedMax} events wait already (${early.rule})`;
  return { verdict: 'rejected', rule: 'parked-limit', detail };
}

function beyondCap(run: Run, { event, subject }: Recognised): Decision | undefined {
  const mark = markOf(run, event.type);
  if (subject.kind === 'item' && itemsOf(mark).add(subject.index).rangeCount > runLimits.itemRangesMax) {
    const detail = `the items of ${event.type} would have more than ${runLimits.itemRangesMax} gaps`;
    return { verdict: 'rejected', rule: 'item-limit', detail };
  }
  if (subject.kind === 'key' && mark.applied >= runLimits.keysMax) {
    const detail = `the run has seen ${runLimits.keysMax} keys of ${event.type}`;
    return { verdict: 'rejected', rule: 'key-limit', detail };
  }
  return undefined;
}
