import type { Cleanup } from './cleanup.js';
import { openStage } from './open-stage.js';
import type { DemoOptions } from './options.js';
import { asCurl, thingsToTry, timelineCurl } from './try-it.js';

/** Keeps both services running, without faults, until somebody ends it, and says what to try. */
export async function keepRunning(options: DemoOptions, cleanup: Cleanup): Promise<boolean> {
  console.log('Starting PostgreSQL, the payment gateway, the orders and the shipping service ...');
  const stage = await openStage({ ...options, courierSeed: undefined }, cleanup);
  const where = { orders: stage.orders.url, shipping: stage.shipping.url, adminToken: stage.adminToken };
  console.log(`\norders    ${where.orders}\nshipping  ${where.shipping}\n\nTry, in another terminal:\n`);
  for (const thing of thingsToTry(where)) console.log(`# ${thing.title}\n${asCurl(thing)}\n`);
  console.log(`# Everything that happened to it: events, steps, verdicts\n${timelineCurl(where)}\n`);
  console.log('Ctrl-C ends everything; nothing is kept.');
  return stage.failure;
}
