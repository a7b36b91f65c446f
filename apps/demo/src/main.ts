import { PawlError } from '@pawl/core';
import { Cleanup } from './cleanup.js';
import { InterruptedError, interruption } from './interruption.js';
import { keepRunning } from './keep-running.js';
import { HELP, readOptions } from './options.js';
import type { DemoOptions } from './options.js';
import { play } from './play.js';

const OK = 0;
const MISMATCH = 1;
const WRONG_OPTIONS = 2;
/** What an option names, and the demo can not use. */
const UNUSABLE = ['data_unreadable', 'redis_unreachable'];

process.exit(await main());

async function main(): Promise<number> {
  const options = optionsOrComplaint();
  if (!options) return WRONG_OPTIONS;
  if (options.help) {
    console.log(HELP);
    return OK;
  }
  const cleanup = new Cleanup();
  const interrupted = interruption();
  try {
    const story = options.keep ? keepRunning(options, cleanup) : play(options, cleanup);
    return (await Promise.race([story, interrupted])) ? OK : MISMATCH;
  } catch (error) {
    return complain(error);
  } finally {
    await cleanup.run();
  }
}

function optionsOrComplaint(): DemoOptions | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    complain(error);
    return undefined;
  }
}

function complain(error: unknown): number {
  // Errors of ours name what to do; a stack trace would only hide it.
  console.error(error instanceof PawlError ? `\n${error.message}` : error);
  if (error instanceof InterruptedError) return Number(error.details['exitCode']);
  return error instanceof PawlError && UNUSABLE.includes(error.code) ? WRONG_OPTIONS : MISMATCH;
}
