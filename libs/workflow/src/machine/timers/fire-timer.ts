import { type Definition, EVERY_STATE } from '../../model/definition.js';
import type { DueTimer } from '../../model/event.js';
import type { ChangeDraft } from '../change-draft.js';
import { foldTimeout } from '../fold.js';
import { hasEnded, isHeldUp } from '../position.js';
import { hasMoved } from './timer-instant.js';
import { UserCodeError } from '../user-code.js';

/**
 * Fires a timer whose instant has come, if the run is still in the position it was set for and no event that came in time has moved the instant;
 * answers whether it did.
 * A timeout whose method fails does nothing but ask for a person: nobody could receive a dead letter of it.
 */
export function fireTimer(definition: Definition, draft: ChangeDraft, timer: DueTimer): boolean {
  const { run } = draft;
  const ofRun = timer.state === EVERY_STATE;
  if (hasEnded(run) || isHeldUp(run) || run.round !== timer.round || (!ofRun && run.state !== timer.state))
    return false;
  const timeout = definition.timeouts.find((one) => one.member === timer.member && one.in === timer.state);
  if (!timeout) return false;
  if (hasMoved(timeout, draft.before.data, run.data)) {
    draft.overtaken.add(timeout);
    return false;
  }
  if (timeout.undo && run.noReturn) {
    const detail = `${timer.member} can not undo what can not be taken back`;
    draft.askForPerson(timer.member, 'past-no-return', detail);
    return true;
  }
  try {
    draft.fire(foldTimeout(definition, run, timeout), timer.member);
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    draft.askForPerson(timer.member, 'handler-failed', error.message);
  }
  return true;
}
