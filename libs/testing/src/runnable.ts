import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The root of the repository. */
export const SOURCES_ROOT = resolve(import.meta.dirname, '../../..');

const CONDITION = '--conditions=pawl-source';
const LOADER = pathToFileURL(join(SOURCES_ROOT, 'scripts/typescript-loader.mjs')).href;

/** What `node` has to be told to run a TypeScript entry of this repository. */
export interface Runnable {
  /** An absolute path. */
  readonly file: string;
  /** Before the file. */
  readonly nodeArgs: readonly string[];
}

/**
 * Says how a TypeScript entry of this repository is run from its sources: in a test run from the tree that was compiled
 * at its start (PAWL_TEST_COMPILED), which starts in half the time, and else by the loader.
 */
export function runnable(entry: string): Runnable {
  const nodeArgs = compiled() === undefined ? [CONDITION, '--import', LOADER] : [CONDITION];
  return { file: runnableFile(entry), nodeArgs };
}

/** The file that stands for a source, for an argument that names a module beside the entry. */
export function runnableFile(source: string): string {
  const root = compiled();
  return root === undefined ? resolve(SOURCES_ROOT, source) : join(root, source.replace(/\.ts$/, '.js'));
}

function compiled(): string | undefined {
  return process.env['PAWL_TEST_COMPILED'];
}
