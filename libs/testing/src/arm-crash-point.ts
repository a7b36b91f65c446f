// Preloaded (--import) into a forked service by `forkService`: at the named crash point the process writes down that it
// was there and dies by SIGKILL, as in a power cut. PAWL_CRASH_POINT is `name` or `name:hit`, counted from 1.
import { appendFileSync } from 'node:fs';
import { onCrashPoint } from '@pawl/core';

const [name, hit = '1'] = (process.env['PAWL_CRASH_POINT'] ?? '').split(':');
const file = process.env['PAWL_CRASH_FILE'];
let hits = 0;

onCrashPoint((passed) => {
  if (passed !== name || ++hits !== Number(hit)) return;
  if (file) appendFileSync(file, `${passed}\n`);
  process.kill(process.pid, 'SIGKILL');
});
