import { readFileSync } from 'node:fs';
import { RefusedToBootError } from '@pawl/core';
import { isSampleSecret } from './sample-secret.js';
import type { Config, Variable, Variables } from './variable.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The test kit's own; a forked service inherits them. */
const TEST_KIT = /^PAWL_(TEST|CRASH)_/;

/**
 * Reads a service's configuration from the environment. `NAME_FILE` names a file that holds the value of `NAME` (a
 * mounted secret). An empty value counts as unset.
 *
 * @throws RefusedToBootError `config_invalid` with every problem at once, each with its variable and remedy: values out
 * of form, unknown `PAWL_*` names, and in production sample secrets and embedded servers. It shows no secret.
 */
export function readConfig<V extends Variables>(env: Environment, variables: V): Config<V> {
  const production = env['NODE_ENV'] === 'production';
  const problems = unknownNames(env, variables, production);
  const config: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const found = readText(env, name);
    const problem = found.problem ?? findProblem(found.value, variable, production);
    if (problem) problems.push(`${name} ${problem}. ${variable.remedy}`);
    else config[name] = variable.schema.parse(found.value);
  }
  if (problems.length > 0)
    throw new RefusedToBootError('config_invalid', 'The configuration is wrong:', problems);
  return config as Config<V>;
}

function readText(env: Environment, name: string): { value?: string; problem?: string } {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`];
  if (!file) return value === undefined ? {} : { value };
  if (value !== undefined) return { problem: `and ${name}_FILE are both set: unset one` };
  try {
    const content = readFileSync(file, 'utf8').trim();
    return content ? { value: content } : { problem: `is empty: the file ${file}` };
  } catch (error) {
    return { problem: `can not be read from the file ${file} (${(error as NodeJS.ErrnoException).code})` };
  }
}

function findProblem(value: string | undefined, variable: Variable, production: boolean): string | undefined {
  const { success, error } = variable.schema.safeParse(value);
  if (!success) return value === undefined ? 'is missing' : error.issues[0]?.message;
  if (!production || value === undefined) return undefined;
  if (variable.secret && isSampleSecret(value)) return 'holds a sample password';
  return variable.inProduction?.(value);
}

function unknownNames(env: Environment, variables: Variables, production: boolean): string[] {
  const known = new Set(Object.keys(variables).flatMap((name) => [name, `${name}_FILE`]));
  return Object.keys(env)
    .filter((name) => name.startsWith('PAWL_') && !known.has(name) && (production || !TEST_KIT.test(name)))
    .map((name) => `${name} is no variable of this service. Correct its name or unset it.`);
}
