import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { fingerprint } from '../../libs/workflow/src/definition/fingerprint.js';
import { history } from './history.js';
import { type ReleasedWorkflow, releasedWorkflows } from './released-workflows.js';
import { replay } from './replay.js';
import type { SavedRelease } from './saved-release.js';

const HISTORIES = 10;

/** Keeps what this release makes of its workflows, for later ones to be compared with; what is kept already stays. See CONTRIBUTING.md. */
async function record(): Promise<void> {
  const release = versionOf('../../package.json').split('.').slice(0, 2).join('.');
  const directory = join(import.meta.dirname, release);
  mkdirSync(directory, { recursive: true });
  for (const [name, workflow] of Object.entries(releasedWorkflows)) {
    const file = join(directory, `${name}.json`);
    if (existsSync(file)) continue;
    writeFileSync(file, await formatted(file, await saved(workflow)));
    process.stdout.write(`wrote ${file}\n`);
  }
}

async function saved({ definition, events, sending }: ReleasedWorkflow): Promise<SavedRelease> {
  const { hash, graph } = fingerprint(definition());
  const seeds = Array.from({ length: HISTORIES }, (_, n) => n + 1);
  const histories = seeds.map(async (seed) => {
    const inputs = history(definition(), events(), seed);
    return { seed, inputs, outcome: await replay(definition(), sending, inputs) };
  });
  return { fingerprint: hash, graph, histories: await Promise.all(histories) };
}

function versionOf(file: string): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as { version: string }).version;
}

async function formatted(file: string, content: SavedRelease): Promise<string> {
  const config = await resolveConfig(resolve(file));
  return format(JSON.stringify(content), { ...config, parser: 'json' });
}

await record();
