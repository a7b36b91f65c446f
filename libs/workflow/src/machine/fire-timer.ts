import type { Definition } from '../model/definition.js';
import type { DueTimer } from '../model/event.js';
import type { ChangeDraft } from './change-draft.js';
import { foldTimeout } from './fold.js';
import { hasEnded } from './position.js';
import { UserCodeError } from './user-code.js';

/**
 * Fires a timer whose instant has come, if the run is still in the position it was set for; answers whether it did.
 * A timeout whose method fails does nothing but ask for a person: nobody could receive a dead letter of it.
 */
export function fireTimer(definition: Definition, draft: ChangeDraft, timer: DueTimer): boolean {
  const { run } = draft;
  if (hasEnded(run) || run.state !== timer.state || run.round !== timer.round) return false;
  const timeout = definition.timeouts.find((one) => one.member === timer.member && one.in === timer.state);
  if (!timeout) return false;
  try {
    draft.fire(foldTimeout(definition, run, timeout), timer.member);
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    const attention = run.attention ?? `handler-failed: ${error.message}`;
    draft.fire({ ...run, attention }, timer.member, {
      verdict: 'rejected',
      rule: 'handler-failed',
      detail: error.message,
    });
  }
  return true;
}
