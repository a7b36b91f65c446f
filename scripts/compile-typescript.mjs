import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const configFile = fileURLToPath(new URL('../.swcrc', import.meta.url));
const cache = fileURLToPath(new URL('../node_modules/.cache/pawl-typescript', import.meta.url));
let configuration;

/** One file of TypeScript as JavaScript: done once per content, and kept for all processes. */
export async function compileTypeScript(filename, source) {
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
  try {
    await writeWhole(kept, code);
  } catch {
    // A directory that can not be written costs time, no more.
  }
  return code;
}

/** Whole or not at all, for other processes read it at any moment. */
export async function writeWhole(path, content) {
  const draft = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(draft, content);
  await rename(draft, path);
}
