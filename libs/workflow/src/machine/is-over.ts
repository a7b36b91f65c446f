import type { Run, RunStatus } from '../model/run.js';

/** Statuses of runs that nobody moves any more, not even a person. */
export const OVER: readonly RunStatus[] = ['completed', 'compensated', 'cancelled', 'terminated'];

/** Whether a run has ended for good: it needs the code of its version no more. */
export function isOver({ status }: Pick<Run, 'status'>): boolean {
  return OVER.includes(status);
}
