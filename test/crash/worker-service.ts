// The process that the crash tests kill, stop and end: an errand service on the database that it is told, which starts the runs that it is told.
import { writeSync } from 'node:fs';
import { onCrashPoint } from '@pawl/core';
import { openErrandService, type ServiceOptions } from './errand-service.js';

/** From the test. */
export type Order = { readonly start: readonly string[]; readonly what?: string } | { readonly report: true };

/** To the test. */
export interface Report {
  /** How often each crash point was passed. */
  readonly passages: Readonly<Record<string, number>>;
  readonly idle: boolean;
}

const passages: Record<string, number> = {};
const stopAt = process.env['ERRAND_STOP_AT'];
if (process.env['PAWL_CRASH_POINT'] === undefined) {
  onCrashPoint((name) => {
    passages[name] = (passages[name] ?? 0) + 1;
    if (name === stopAt && passages[name] === 1) stopHere(name);
  });
}

/** Stands still until somebody sends SIGCONT; says so before, in one write that can not be left behind in a buffer. */
function stopHere(name: string): void {
  writeSync(1, `stops at ${name}\n`);
  process.kill(process.pid, 'SIGSTOP');
}

const service = await openErrandService(JSON.parse(process.env['ERRAND_OPTIONS'] ?? '{}') as ServiceOptions);

process.on('message', (order: Order) => {
  if ('report' in order) process.send?.({ passages, idle: service.runtime.worker.idle } satisfies Report);
  else void startRuns(order.start, order.what);
});

async function startRuns(keys: readonly string[], what?: string): Promise<void> {
  // What can not be started here the test starts again.
  await Promise.allSettled(keys.map(async (key) => service.start(key, what)));
}

process.once('SIGTERM', () => {
  service.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
