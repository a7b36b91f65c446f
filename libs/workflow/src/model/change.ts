import type { OutgoingMessage } from '@pawl/messaging';
import type { ParkedEvent } from './event.js';
import type { Run } from './run.js';
import type { TimerChanges } from './timer.js';
import type { UpdateVerdict } from './update.js';
import type { Receipt, Rule, Verdict } from './verdict.js';

/** All that follows from some inputs for one run; the store writes it in one transaction, under the run's lock. */
export interface Change {
  /** The run afterwards. */
  readonly run: Run;
  /** Whether state or round changed. */
  readonly moved: boolean;
  readonly timers: TimerChanges;
  readonly journal: readonly JournalEntry[];
  /** One per incoming event, in the order given. */
  readonly receipts: readonly Receipt[];
  /** One per update, in the order given. */
  readonly updates: readonly UpdateVerdict[];
  readonly parked: readonly (ParkedEvent & { readonly parkedMaxMs: number })[];
  /** Parked events that have their final verdict now; type and subject name a parked event within its run. */
  readonly unparked: readonly { readonly type: string; readonly subject: string }[];
  /** Semantic keys now seen. */
  readonly keys: readonly { readonly type: string; readonly key: string; readonly digest: string }[];
  /**
   * Duplicates and lates, by meaning. None is in `journal`: the first of its run, type, subject and verdict may be journaled by
   * whoever writes this, the others are counted only.
   */
  readonly repeats: readonly Repeat[];
  readonly deadLetters: readonly Undeliverable[];
  readonly losses: readonly Undeliverable[];
  readonly messages: readonly OutgoingMessage[];
}

export type JournalKind = 'event' | 'step' | 'timer' | 'update' | 'control' | 'undo';

export interface JournalEntry {
  readonly revision: number;
  readonly kind: JournalKind;
  /** Event type, step name, timeout's or update's member, or what a person asked for. */
  readonly name: string;
  readonly subject: string;
  readonly verdict: Verdict | null;
  readonly rule: Rule | null;
  readonly detail: string | null;
  readonly fromState: string | null;
  readonly toState: string | null;
  readonly digest: string | null;
  readonly payload: unknown;
  /** Id and source of the event. */
  readonly eventId: string | null;
  readonly source: string | null;
}

export interface Repeat {
  readonly type: string;
  readonly subject: string;
  readonly verdict: Verdict;
  readonly rule: Rule;
}

/** An event that will not be applied and that a person may have to look at. */
export interface Undeliverable {
  readonly eventId: string;
  readonly type: string;
  readonly typeVersion: number;
  readonly subject: string;
  readonly payload: unknown;
  readonly rule: Rule;
  readonly detail: string | null;
  readonly source: string;
}
