import type { Run } from '../model/run.js';
import { isOver } from './is-over.js';

/** How a run stands, in words for its customer. What goes wrong inside is not the customer's: a run that a person sees to is in progress. */
export interface PublicStatus {
  readonly status: 'in-progress' | 'cancelling' | 'completed' | 'cancelled';
  readonly state: string;
  /** Nothing will change any more. */
  readonly ended: boolean;
}

/** The status of a run whose workflow has no method of its own for it. */
export function publicStatus(run: Run & { readonly state: string }): PublicStatus {
  return { status: wordFor(run), state: run.state, ended: isOver(run) };
}

function wordFor({ status, undo }: Run): PublicStatus['status'] {
  if (status === 'completed') return 'completed';
  if (isOver({ status })) return 'cancelled';
  return undo?.scope === 'all' ? 'cancelling' : 'in-progress';
}
