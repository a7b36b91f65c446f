import { invariant } from '@pawl/core';
import type { DeadLetterSummary, RunSql } from '@pawl/messaging';
import type pg from 'pg';
import type { DeadLetterOrder } from './command-line.js';
import type { Output } from './run.js';

/**
 * Lists and shows dead letters, or asks for something in their rows: the service carries it out, for only it has the handlers. Answers the
 * exit code, 1 if any of those named is not there, dealt with already, or something is asked for it.
 */
export async function tendDeadLetters(
  client: pg.Client,
  order: DeadLetterOrder | undefined,
  output: Output,
): Promise<number> {
  invariant(order, 'The command dead-letters has its order.');
  // Only here: it brings the queues along, which other commands need not load.
  const { DeadLetters } = await import('@pawl/messaging');
  const sql: RunSql = async (statement, values) =>
    (await client.query({ ...statement, values: [...values] })).rows;
  const letters = new DeadLetters(sql);
  const { verb, ids, resolved, after, actor, reason } = order;
  if (verb === 'list') {
    const page = await letters.list({ resolved, ...(after === undefined ? {} : { after }) });
    output.out(page.map(lineOf).join(''));
    return 0;
  }
  if (verb === 'show') {
    const letter = await letters.find(ids[0] ?? '');
    if (letter === undefined) return complain(output, ids);
    output.out(`${JSON.stringify(letter, undefined, 2)}\n`);
    return 0;
  }
  const asked = await letters[verb](ids, { actor, reason });
  output.out(asked.map((id) => `${verb} asked for ${id}\n`).join(''));
  return complain(
    output,
    ids.filter((id) => !asked.includes(id)),
  );
}

function lineOf(letter: DeadLetterSummary): string {
  const { id, createdAt, type, source, workflow, runKey, reason, requested, actor, resolution } = letter;
  const state = resolution ?? (requested === null ? 'open' : `${requested} asked for`);
  const place = workflow === null ? (source ?? '') : `${workflow}/${runKey ?? ''}`;
  const by = actor === null ? [] : [`by ${actor}`];
  return `${[id, createdAt.toISOString(), type, place, reason, state, ...by].join('  ')}\n`;
}

function complain(output: Output, missing: readonly string[]): number {
  if (missing.length === 0) return 0;
  output.error(missing.map((id) => `pawl: ${id} is not open: see dead-letters show\n`).join(''));
  return 1;
}
