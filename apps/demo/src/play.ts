import { checkBooks } from './books.js';
import type { Cleanup } from './cleanup.js';
import { totalCents } from './demo-order.js';
import type { DemoOrder } from './demo-order.js';
import { countFaults } from './faults.js';
import { readLedger } from './gateway-ledger.js';
import type { GatewayCall } from './gateway-ledger.js';
import { openStage } from './open-stage.js';
import type { DemoOptions } from './options.js';
import { ordersToSend } from './orders-to-send.js';
import { agrees } from './reconcile.js';
import { faultTable, reconciliationTable, verdictTable } from './report.js';
import { Show } from './show.js';
import { LEASE_MS } from './stage.js';
import type { Stage } from './stage.js';
import { describeStuck } from './stuck-orders.js';

const EXAMPLES_MAX = 5;

/** The demo from its first line to its last. Answers whether the books agree and every fault fired. */
export async function play(options: DemoOptions, cleanup: Cleanup): Promise<boolean> {
  const started = performance.now();
  const orders = await ordersToSend(options);
  console.log(introduction(options, orders));
  const stage = await openStage(
    { ...options, courierSeed: options.faults ? options.seed : undefined },
    cleanup,
  );
  console.log(`PostgreSQL, the payment gateway and both services run (${seconds(started)} s).\n`);

  const show = new Show(options, orders, stage, cleanup.signal);
  const ended = await Promise.race([show.perform(), stage.failure]);

  const calls = await readLedger(stage.gatewayFile);
  const rows = await checkBooks(stage, orders, calls);
  const faults = countFaults(options, show, stage, calls);
  const { shipped } = show.watch;
  console.log(`\nThe books\n\n${reconciliationTable(rows)}\n`);
  console.log(`Orders that say Shipped when asked: ${shipped} of ${orders.length}\n`);
  console.log(`What the orders service answered\n\n${verdictTable(show.client.verdicts)}\n`);
  if (faults.length > 0) console.log(`What went wrong meanwhile\n\n${faultTable(faults)}\n`);

  const problems = [
    ...(ended ? [] : [await unfinished(show, orders, stage)]),
    ...(ended && shipped < orders.length
      ? [`${orders.length - shipped} orders ended otherwise than Shipped`]
      : []),
    ...rows.filter((row) => !agrees(row)).map(({ name }) => `"${name}" does not agree`),
    ...faults.filter(({ fired }) => fired === 0).map(({ name }) => `the fault "${name}" never fired`),
    ...refusedCharges(calls),
    ...show.client.violations,
  ];
  stage.keepsFiles = problems.length > 0;
  console.log(conclusion(problems, seconds(started)));
  if (stage.keepsFiles) console.log(`The logs of the processes stay in ${stage.directory}`);
  return problems.length === 0;
}

function introduction({ seed, data, redis, faults }: DemoOptions, orders: readonly DemoOrder[]): string {
  const lines = orders.reduce((sum, order) => sum + order.lines.length, 0);
  const cents = orders.reduce((sum, order) => sum + totalCents(order), 0);
  const origin = data === undefined ? `invented from seed ${seed}` : `from ${data}, faults from seed ${seed}`;
  return [
    `${orders.length} orders with ${lines} items for ${(cents / 100).toLocaleString('en-US')} in all, ${origin}`,
    `queues in ${redis === undefined ? 'PostgreSQL' : 'Redis'}; a worker's lease is ${LEASE_MS / 1000} s here, so that a killed one is replaced soon`,
    ...(faults ? [] : ['no faults']),
  ].join('\n');
}

async function unfinished({ watch }: Show, orders: readonly DemoOrder[], stage: Stage): Promise<string> {
  const open = orders.filter(({ id }) => !watch.ended.has(id)).map(({ id }) => id);
  const where = await describeStuck(stage, open);
  const some = open.slice(0, EXAMPLES_MAX).join(', ');
  return [
    `${open.length} orders did not end, and nothing moved for long (--patience): ${some} ...`,
    ...where,
  ].join('\n');
}

/** The gateway was asked for something else under a key that it knew. */
function refusedCharges(calls: readonly GatewayCall[]): readonly string[] {
  const refused = calls.filter(({ result }) => result === 'refused');
  return refused
    .slice(0, EXAMPLES_MAX)
    .map(({ order }) => `the gateway refused another charge under the key of ${order}`);
}

function conclusion(problems: readonly string[], time: string): string {
  if (problems.length === 0) return `Every effect happened exactly once. (${time} s)`;
  return ['FAILED:', ...problems.map((problem) => `  - ${problem}`)].join('\n');
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
