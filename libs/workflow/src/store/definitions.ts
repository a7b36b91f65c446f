import { RefusedToBootError, statement, type Transaction } from '@pawl/core';
import { graphDiff, type KeptGraph } from '../definition/graph-diff.js';

/** How a definition is kept: enough to notice that it has changed. */
export interface DefinitionRecord {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly graph: KeptGraph;
}

const KEEP_DEFINITION = statement(
  'keep_definition',
  `insert into pawl.definition as d (workflow, version, fingerprint, graph) values ($1, $2, $3, $4::jsonb)
   on conflict (workflow, version) do update set fingerprint = d.fingerprint returning d.fingerprint, d.graph`,
);

/**
 * Keeps each definition under its version, once and for ever.
 * @throws RefusedToBootError `definition_changed`: a version means something else now than when its runs were started.
 */
export async function keepDefinitions(
  tx: Transaction,
  definitions: readonly DefinitionRecord[],
): Promise<void> {
  const problems: string[] = [];
  for (const { workflow, version, fingerprint, graph } of definitions) {
    const values = [workflow, version, fingerprint, JSON.stringify(graph)];
    const [kept] = await tx.query<{ fingerprint: string; graph: KeptGraph }>(KEEP_DEFINITION, values);
    if (kept?.fingerprint === fingerprint) continue;
    problems.push(changed({ workflow, version }, graphDiff(kept?.graph ?? {}, graph)));
  }
  if (problems.length > 0)
    throw new RefusedToBootError('definition_changed', 'Changed definitions:', problems);
}

/** Names the remedy first: the lines that follow may be many. */
function changed(
  { workflow, version }: Pick<DefinitionRecord, 'workflow' | 'version'>,
  lines: string[],
): string {
  const check = `pawl definitions check --workflow ${workflow} --version ${version}`;
  const remedy =
    'raise its version, and keep the class as it was beside the new one ' +
    `until \`${check}\` says that version ${version} can go`;
  const differences =
    lines.length > 0 ? lines : ['what its fingerprint is made of, and nothing that its graph shows'];
  return [
    `${workflow} version ${version} has changed since it was first run: ${remedy}. What has changed:`,
    ...differences,
  ].join('\n       ');
}
