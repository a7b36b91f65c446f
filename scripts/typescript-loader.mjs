// Runs TypeScript with decorator metadata under plain Node, from the libraries' sources:
// node --import ./scripts/typescript-loader.mjs file.ts
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const configFile = fileURLToPath(new URL('../.swcrc', import.meta.url));
const cache = fileURLToPath(new URL('../node_modules/.cache/pawl-typescript', import.meta.url));
let configuration;

if (isMainThread) {
  register(import.meta.url);
  process.setSourceMapsEnabled(true);
}

export async function resolve(specifier, context, next) {
  const fromSource = { ...context, conditions: ['pawl-source', ...context.conditions] };
  const ours = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts');
  return next(ours ? `${specifier.slice(0, -3)}.ts` : specifier, fromSource);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = readFileSync(filename, 'utf8');
  return { format: 'module', source: await compile(filename, source), shortCircuit: true };
}

/** Most of what a service takes to start: done once per content, and kept for all processes. */
async function compile(filename, source) {
  configuration ??= readFileSync(configFile, 'utf8');
  const hash = createHash('sha256').update(`${process.version}\n${filename}\n${configuration}\n${source}`);
  const kept = join(cache, `${hash.digest('hex')}.js`);
  try {
    return readFileSync(kept, 'utf8');
  } catch {
    // Not there yet.
  }
  const swc = await import('@swc/core');
  const { code } = await swc.transform(source, { filename, configFile, sourceMaps: 'inline' });
  await keep(kept, code);
  return code;
}

/** Whole or not at all, for other processes read it at any moment. Nobody depends on it. */
async function keep(path, code) {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(cache, { recursive: true });
    await writeFile(draft, code);
    await rename(draft, path);
  } catch {
    // A directory that can not be written costs time, no more.
  }
}
