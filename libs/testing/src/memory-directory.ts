import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';

const PLACE = '/dev/shm';
const FREE_BYTES_MIN = 2 * 1024 ** 3;

/**
 * A directory in memory, for servers of tests whose data need not outlast the machine: creating and dropping a database
 * writes hundreds of files. Undefined where there is none (only Linux has one), or too little room in it, or programs
 * may not be run from there.
 */
export async function memoryDirectory(): Promise<string | undefined> {
  try {
    const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
    const [, , type, options = ''] = mounts.find(([, place]) => place === PLACE) ?? [];
    const { bavail, bsize } = await statfs(PLACE);
    await access(PLACE, constants.W_OK);
    const usable = type === 'tmpfs' && !options.split(',').includes('noexec');
    return usable && bavail * bsize >= FREE_BYTES_MIN ? PLACE : undefined;
  } catch {
    return undefined; // no such place, or not for us
  }
}
