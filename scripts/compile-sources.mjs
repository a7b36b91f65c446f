import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileTypeScript, writeWhole } from './compile-typescript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NOT_LINKED = ['src', 'dist', 'node_modules', 'package.json'];

/** Below node_modules, so that what is compiled finds the packages that its sources find. */
export const compiledSources = join(root, 'node_modules/.cache/pawl-compiled');

/**
 * All sources but the specs as JavaScript, in a tree of the same shape: a process that is started there needs no loader,
 * which would be half of what a service takes to start. Run it with `--conditions=pawl-source`. Sources that have not
 * changed since the last time cost a look; others may read the tree meanwhile.
 */
export async function compileSources() {
  const packages = ['libs', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
  await writeChanged('package.json', '{ "type": "module" }\n');
  for (const directory of [...packages, 'migrations']) {
    if (existsSync(join(root, directory, 'package.json'))) await compilePackage(directory);
  }
  await compileDirectory('examples');
  await compileDirectory('test');
}

async function compilePackage(directory) {
  const text = readFileSync(join(root, directory, 'package.json'), 'utf8');
  await writeChanged(join(directory, 'package.json'), text.replace(/("\.\/src\/[^"]*)\.ts"/g, '$1.js"'));
  await link(join(compiledSources, directory), join('node_modules', JSON.parse(text).name));
  // What a source reads that is no source stands where it looks for it.
  for (const name of readdirSync(join(root, directory)).filter((other) => !NOT_LINKED.includes(other))) {
    await link(join(root, directory, name), join(directory, name));
  }
  await compileDirectory(join(directory, 'src'));
}

async function compileDirectory(directory) {
  const files = readdirSync(join(root, directory), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => join(directory, name));
  await Promise.all(files.map(compileFile));
  await removeForgotten(directory, new Set(files.map(compiledName)));
}

async function compileFile(file) {
  const filename = join(root, file);
  // What can not be compiled concerns whoever imports it.
  const code = await compileTypeScript(filename, readFileSync(filename, 'utf8')).catch(
    (error) => `throw new SyntaxError(${JSON.stringify(`${filename}: ${error.message}`)});\n`,
  );
  await writeChanged(compiledName(file), code);
}

function compiledName(file) {
  return `${file.slice(0, -'.ts'.length)}.js`;
}

/** Else a source that is gone could still be imported. */
async function removeForgotten(directory, compiled) {
  const target = join(compiledSources, directory);
  if (!existsSync(target)) return;
  const there = readdirSync(target, { recursive: true }).filter((name) => name.endsWith('.js'));
  for (const name of there) {
    if (!compiled.has(join(directory, name))) await rm(join(target, name), { force: true });
  }
}

async function writeChanged(name, content) {
  const path = join(compiledSources, name);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== content) await writeWhole(path, content);
}

async function link(target, name) {
  const path = join(compiledSources, name);
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path).catch((error) => {
    if (error.code !== 'EEXIST') throw error; // from the last time
  });
}
