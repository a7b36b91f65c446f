import { setTimeout as pause } from 'node:timers/promises';
import { type Duration, PawlError, sqlErrorKind, toMilliseconds } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import { type Reached, reached } from '../../machine/reached.js';
import type { Run } from '../../model/run.js';
import { findRun } from '../../store/find-run.js';
import { hasBeenIn } from '../../store/journaled-states.js';
import type { RunAddress } from '../../store/lock-runs.js';
import type { Definitions } from '../definitions.js';
import { RunNotFoundError } from './run-not-found-error.js';

export interface WaitOptions {
  /** What is waited for: one of these states, or the run's end. Default `end`. A run that has been there has reached it. */
  readonly for?: string | readonly string[];
  /** How long at most. */
  readonly timeout: Duration;
  /** Ends the wait; the run goes on. */
  readonly signal?: AbortSignal;
}

/** How a wait ended. The run goes on in any case, unless it has ended. */
export interface Waited {
  /** As it was when the wait ended. */
  readonly run: Run;
  readonly reached: Reached | 'timed-out';
}

const PAUSE_FIRST_MS = 20;
const PAUSE_GROWTH = 1.5;
const PAUSE_MAX_MS = 1_000;

/** Waits for runs by looking at their rows, ever more seldom: it locks nothing, and works whichever process carries the run on. */
export class RunWaits {
  constructor(
    private readonly manager: EntityManager,
    private readonly definitions: Definitions,
  ) {}

  /**
   * A timeout is an answer, not an error, for the run goes on. Trouble of the database is outwaited.
   * @throws RunNotFoundError, PawlError `state_unknown`, `invalid_timeout`, and the signal's reason
   */
  async until(address: RunAddress, { for: wanted = 'end', timeout, signal }: WaitOptions): Promise<Waited> {
    const states = this.statesOf(address, wanted);
    const until = performance.now() + timeoutMs(timeout);
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MAX_MS)) {
      signal?.throwIfAborted();
      const left = until - performance.now();
      const seen = await this.look(address, states, left > 0);
      if (seen?.reached) return { run: seen.run, reached: seen.reached };
      if (seen && left <= 0) return { run: seen.run, reached: 'timed-out' };
      await pauseFor(Math.max(0, Math.min(pauseMs, left)), signal);
    }
  }

  /** Undefined if the database could not be asked and there is time to ask again. */
  private async look(
    address: RunAddress,
    states: readonly string[],
    mayFail: boolean,
  ): Promise<{ readonly run: Run; readonly reached: Reached | undefined } | undefined> {
    try {
      const run = await findRun(this.manager, address);
      if (run === undefined) throw new RunNotFoundError(address);
      const found = reached(this.definitions.of(run), run, states);
      // It may have come through faster than it was looked at.
      const passed =
        found !== undefined && states.length > 0 && (await hasBeenIn(this.manager, run.id, states));
      return { run, reached: passed ? 'state' : found };
    } catch (error) {
      if (mayFail && sqlErrorKind(error) === 'unavailable') return undefined;
      throw error;
    }
  }

  private statesOf({ workflow }: RunAddress, wanted: string | readonly string[]): readonly string[] {
    if (wanted === 'end') return [];
    const states = typeof wanted === 'string' ? [wanted] : wanted;
    const known = this.definitions.all
      .filter((one) => one.workflow === workflow)
      .flatMap((one) => one.states);
    const unknown = states.filter((state) => !known.includes(state));
    if (unknown.length === 0 && states.length > 0) return states;
    throw new PawlError(
      'state_unknown',
      `${workflow} has no state ${unknown.join(', ')}; wait for 'end' or for ${[...new Set(known)].join(', ')}.`,
    );
  }
}

function timeoutMs(timeout: Duration): number {
  const ms = toMilliseconds(timeout);
  if (ms !== undefined && ms >= 0) return ms;
  throw new PawlError('invalid_timeout', `timeout is ${timeout}; give a duration like '10s'.`);
}

/** Keeps no process alive: who waits has a server or a connection open. */
async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, undefined, { ref: false, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
