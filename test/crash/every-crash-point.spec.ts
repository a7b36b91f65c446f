import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

function textOf(directory: string, suffix: string): string {
  const files = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith(suffix) && !/(^|\/)(dist|node_modules)\//.test(file));
  return sources.map((file) => readFileSync(join(ROOT, directory, file), 'utf8')).join('\n');
}

it('every crash point of the libraries has a test in which a process dies there', () => {
  const libraries = ['core', 'messaging', 'workflow']
    .map((name) => textOf(`libs/${name}/src`, '.ts'))
    .join('\n');
  const named = [...libraries.matchAll(/\bcrashPoint\('([a-z.-]+)'\)/g)].map(([, name = '']) => name);
  const tests = textOf('test/crash', '.spec.ts');
  expect(new Set(named).size).toBeGreaterThan(10);
  expect(named.filter((name) => !tests.includes(`'${name}`))).toEqual([]);
});
