import { invariant } from '@pawl/core';
import type { RunSql } from '@pawl/messaging';
import type { CanGo, VersionInUse } from '@pawl/workflow';
import type pg from 'pg';
import type { DefinitionsOrder } from './command-line.js';
import type { Output } from './run.js';

/** Lists the versions of workflows that are in use, or says whether one can go. Answers the exit code: 3 if something is in the way. */
export async function tendDefinitions(
  client: pg.Client,
  order: DefinitionsOrder | undefined,
  output: Output,
): Promise<number> {
  invariant(order, 'The command definitions has its order.');
  // Only here: it brings the engine along, which other commands need not load.
  const { VersionsInUse } = await import('@pawl/workflow');
  const sql: RunSql = async (statement, values) =>
    (await client.query({ ...statement, values: [...values] })).rows;
  const versions = new VersionsInUse(sql);
  const { verb, workflow, version, json } = order;
  if (verb === 'list') {
    const list = await versions.list();
    output.out(json ? asJson(list) : list.map(versionLine).join(''));
    return 0;
  }
  const answer = await versions.canGo(workflow, version);
  output.out(json ? asJson(answer) : answerLines(answer));
  return answer.canGo ? 0 : 3;
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function versionLine({ workflow, version, runs, unfinished, newestAt }: VersionInUse): string {
  const counts = Object.entries(runs).map(([status, count]) => `${status} ${count}`);
  const newest = newestAt === null ? 'no runs' : `newest run of ${newestAt.toISOString()}`;
  return `${[`${workflow} ${version}`, `${unfinished} unfinished`, counts.join(', '), newest].filter(Boolean).join('  ')}\n`;
}

function answerLines({ workflow, version, canGo, newest, runs, undecidedEvents }: CanGo): string {
  if (canGo) return `${workflow} version ${version} can go\n`;
  const reasons = [
    ...(newest ? ['it is the newest version: runs are started in it'] : []),
    ...runs.map(
      ({ status, state, count, oldestAt }) =>
        `${count} ${status} in ${state ?? 'no state'}, the oldest of ${oldestAt.toISOString()}`,
    ),
    ...(undecidedEvents > 0 ? [`${undecidedEvents} events wait for a process that has it`] : []),
  ];
  return [`${workflow} version ${version} can not go:`, ...reasons].join('\n  ') + '\n';
}
