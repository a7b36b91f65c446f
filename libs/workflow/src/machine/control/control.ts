import type { JournalEntry } from '../../model/change.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { cancel } from './control-cancel.js';
import {
  type ControlFacts,
  type Controlled,
  type ControlOrder,
  type Decided,
  refused,
} from './control-order.js';
import { pause, resume } from './control-pause.js';
import { redrive } from './control-redrive.js';
import { skip } from './control-skip.js';
import { terminate } from './control-terminate.js';
import { isOver } from '../is-over.js';

/** Who asks, and why; kept with what was done. */
export interface Asked {
  readonly actor: string;
  readonly reason: string;
}

/**
 * What follows from a person's order for a run: what changes, that it is so already, or why it can not be. Pure. docs/control.md has the table of all
 * orders in all statuses.
 */
export function control(
  definition: Definition,
  run: Run,
  facts: ControlFacts,
  { order, actor, reason }: Asked & { readonly order: ControlOrder },
): Controlled {
  const decided = notEver(run, order) ?? decide(definition, run, facts, order);
  if (decided.kind !== 'changed') return decided;
  const { detail = null, moved = false, resumed = false, steps = [], left = [] } = decided;
  const after = { ...decided.run, revision: run.revision + 1 };
  const entry = entryOf(order, { run, after, text: `${actor}: ${reason}`, payload: detail });
  return { kind: 'changed', run: after, moved, resumed, steps, left, journal: [entry] };
}

function decide(definition: Definition, run: Run, facts: ControlFacts, order: ControlOrder): Decided {
  switch (order.action) {
    case 'cancel':
      return cancel(definition, run);
    case 'terminate':
      return terminate(definition, run, facts);
    case 'pause':
      return pause(run);
    case 'resume':
      return resume(definition, run, facts);
    case 'redrive':
      return redrive(definition, run, facts, order);
    case 'skip':
      return skip(definition, run, facts, order);
  }
}

/** What holds for all orders: nothing moves a run that has not begun, or that has ended. */
function notEver(run: Run, { action }: ControlOrder): Decided | undefined {
  if (run.status === 'awaited')
    return refused('not_started', 'The run waits for its start event; there is nothing to control yet.');
  if (!isOver(run)) return undefined;
  const isThere =
    (action === 'cancel' && run.status === 'cancelled') ||
    (action === 'terminate' && run.status === 'terminated');
  return isThere ? { kind: 'unchanged' } : refused('ended', `The run has ended, it is ${run.status}.`);
}

function entryOf(
  { action }: ControlOrder,
  { run, after, text, payload }: { run: Run; after: Run; text: string; payload: unknown },
): JournalEntry {
  return {
    revision: after.revision,
    kind: 'control',
    name: action,
    subject: '',
    verdict: null,
    rule: null,
    detail: text,
    fromState: run.state,
    toState: after.state,
    digest: null,
    payload,
    eventId: null,
    source: null,
  };
}
