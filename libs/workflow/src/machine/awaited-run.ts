import type { Run } from '../model/run.js';

/**
 * A run of which nothing is known but its name. Events that come before their start wait with it, and the start event
 * itself is decided for it, so there is one way into a run and always a row to lock.
 */
export function awaitedRun(name: { id: string; workflow: string; key: string }): Run {
  return {
    ...name,
    version: null,
    status: 'awaited',
    state: null,
    round: 0,
    data: {},
    marks: {},
    revision: 0,
    parkedCount: 0,
    attention: null,
    undo: null,
    noReturn: false,
  };
}
