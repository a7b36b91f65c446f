import { type Definition, EVERY_STATE } from '../model/definition.js';
import type { DueTimer } from '../model/event.js';
import type { Rule } from '../model/verdict.js';
import type { ChangeDraft } from './change-draft.js';
import { foldTimeout } from './fold.js';
import { hasEnded, isHeldUp } from './position.js';
import { UserCodeError } from './user-code.js';

/**
 * Fires a timer whose instant has come, if the run is still in the position it was set for; answers whether it did.
 * A timeout whose method fails does nothing but ask for a person: nobody could receive a dead letter of it.
 */
export function fireTimer(definition: Definition, draft: ChangeDraft, timer: DueTimer): boolean {
  const { run } = draft;
  const ofRun = timer.state === EVERY_STATE;
  if (hasEnded(run) || isHeldUp(run) || run.round !== timer.round || (!ofRun && run.state !== timer.state))
    return false;
  const timeout = definition.timeouts.find((one) => one.member === timer.member && one.in === timer.state);
  if (!timeout) return false;
  if (timeout.undo && run.noReturn) {
    askForPerson(
      draft,
      timer.member,
      'past-no-return',
      `${timer.member} can not undo what can not be taken back`,
    );
    return true;
  }
  try {
    draft.fire(foldTimeout(definition, run, timeout), timer.member);
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    askForPerson(draft, timer.member, 'handler-failed', error.message);
  }
  return true;
}

function askForPerson(draft: ChangeDraft, member: string, rule: Rule, detail: string): void {
  const { run } = draft;
  const attention = run.attention ?? `${rule}: ${detail}`;
  draft.fire({ ...run, attention }, member, { verdict: 'rejected', rule, detail });
}
