import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DueTimer, IncomingEvent } from '../../libs/workflow/src/model/event.js';

/** One workflow as a release had it: its definition, and what became of runs. Plain JSON. */
export interface SavedRelease {
  readonly fingerprint: string;
  readonly graph: object;
  readonly histories: readonly SavedHistory[];
}

export interface SavedHistory {
  /** Made from it: says how a history came about, nothing depends on it. */
  readonly seed: number;
  readonly inputs: readonly SavedInput[];
  readonly outcome: SavedOutcome;
}

/** What happened to the run, in order: an event came, a timer's instant, the step that was due is done. Instants are ISO texts. */
export type SavedInput =
  | { readonly event: Omit<IncomingEvent, 'receivedAt'> & { readonly receivedAt: string } }
  | { readonly timer: Omit<DueTimer, 'fireAt'> & { readonly fireAt: string } }
  | { readonly step: string };

/** What came of it. Each text is one row: of the receipts, of the journal, and so on. */
export interface SavedOutcome {
  readonly run: Readonly<Record<string, unknown>>;
  readonly receipts: readonly string[];
  readonly journal: readonly string[];
  readonly repeats: readonly string[];
  readonly parked: readonly string[];
  readonly deadLetters: readonly string[];
  readonly losses: readonly string[];
  /** Those of events that are forwarded, and those of the workflow's sending steps. */
  readonly messages: readonly string[];
  /** By step. */
  readonly idempotencyKeys: Readonly<Record<string, string>>;
}

const DIRECTORY = import.meta.dirname;

/** The releases that are kept, by their versions. */
export function savedReleases(): string[] {
  return readdirSync(DIRECTORY).filter((name) => /^\d+\.\d+$/.test(name));
}

export function savedRelease(release: string, workflow: string): SavedRelease {
  return JSON.parse(readFileSync(join(DIRECTORY, release, `${workflow}.json`), 'utf8')) as SavedRelease;
}

/** The workflows that a release has kept. */
export function savedWorkflows(release: string): string[] {
  const files = readdirSync(join(DIRECTORY, release));
  return files.map((file) => file.replace('.json', ''));
}
