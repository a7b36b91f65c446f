import { canonicalJson } from '@pawl/core';
import type { Run } from '@pawl/workflow';
import type { Game, Position } from './game.js';
import { eventInWords } from './words.js';

/** A run as a workflow's author sees it: what is compared, and what invariants are asked about. */
export interface RunView {
  readonly state: string | null;
  readonly status: Run['status'];
  readonly data: unknown;
  /** Steps that are done, by name, with what they returned. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Names of steps that gave up, and of compensations that were carried out. */
  readonly failed: readonly string[];
  readonly undone: readonly string[];
  /** Messages to other services, as `type {...}`. */
  readonly sent: readonly string[];
  /** Events that were late although they were never applied, and were not declared to compete. */
  readonly lost: readonly string[];
  /** Events that were rejected. */
  readonly rejected: readonly string[];
  /** Events that are early. */
  readonly waiting: readonly string[];
}

export function viewOf({ definition, events }: Game, { run: played }: Position): RunView {
  const { run, steps, messages, losses, deadLetters, parked } = played.rows;
  const inWords = (each: { readonly type: string; readonly payload: unknown }): string =>
    eventInWords(events, each);
  const competing = new Set(definition.handlers.filter(({ competes }) => competes).map(({ type }) => type));
  const done = steps.filter(({ kind, status }) => kind === 'step' && status === 'done');
  return {
    state: run.state,
    status: run.status,
    data: run.data,
    outputs: Object.fromEntries(done.map(({ name, output }) => [name, output])),
    failed: steps
      .filter(({ status }) => status === 'failed')
      .map(({ name }) => name)
      .sort(),
    undone: steps
      .filter(({ kind, status }) => kind === 'compensation' && status === 'done')
      .map(({ name }) => name)
      .sort(),
    sent: messages.map(inWords).sort(),
    lost: distinct(losses.filter(({ type }) => !competing.has(type)).map(inWords)),
    rejected: distinct(deadLetters.map(inWords)),
    waiting: parked.map(inWords).sort(),
  };
}

/** Where two ends differ, one line each: `data.notes[0]: "tea" or "milk"`. */
export function differences(one: unknown, other: unknown, path = ''): string[] {
  if (canonicalJson(one) === canonicalJson(other)) return [];
  if (isParted(one) && isParted(other) && Array.isArray(one) === Array.isArray(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) => differences(one[key], other[key], pathTo(path, key, Array.isArray(one))));
  }
  return [`${path === '' ? 'the end' : path}: ${shown(one)} or ${shown(other)}`];
}

function isParted(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function pathTo(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
