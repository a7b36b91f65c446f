import { RefusedToBootError, statement, type Transaction } from '@pawl/core';

/** How a definition is kept: enough to notice that it has changed. */
export interface DefinitionRecord {
  readonly workflow: string;
  readonly version: number;
  readonly fingerprint: string;
  readonly graph: unknown;
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
    const [kept] = await tx.query<{ fingerprint: string; graph: unknown }>(KEEP_DEFINITION, values);
    if (kept?.fingerprint === fingerprint) continue;
    problems.push(
      `${workflow} version ${version} has changed since its runs were started: raise its version. ` +
        `Kept: ${JSON.stringify(kept?.graph)}. Now: ${JSON.stringify(graph)}.`,
    );
  }
  if (problems.length > 0)
    throw new RefusedToBootError('definition_changed', 'Changed definitions:', problems);
}
