import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RefusedToBootError } from '@pawl/core';

export interface DemoOptions {
  /** How many orders; undefined: 200 of the seed's, or all of the data's. */
  readonly orders: number | undefined;
  /** BullMQ on this Redis; undefined: on the embedded PostgreSQL. */
  readonly redis: string | undefined;
  /** Real orders from CSV files; undefined: invented from the seed. */
  readonly data: string | undefined;
  readonly seed: string;
  readonly faults: boolean;
  /** Keep the services running until Ctrl-C. */
  readonly keep: boolean;
  readonly help: boolean;
  /** How often the services look for runs that were forgotten. */
  readonly rescueEveryMs: number | undefined;
  /** Throw away every hint, so that only the rescuer finds work. */
  readonly dropHints: boolean;
  /** How long nothing may move before the demo gives up. */
  readonly patienceMs: number;
}

export const ORDERS_DEFAULT = 200;
const ORDERS_MAX = 100_000;
const PATIENCE_DEFAULT = '60s';

export const HELP = `Sends orders through the orders and the shipping service while things break, then checks the books.

  npm run demo                     ${ORDERS_DEFAULT} orders, every fault, embedded PostgreSQL
  npm run demo -- [options]
  npm start                        the pair keeps running until Ctrl-C, for you to try

  --orders N           how many orders (1 to ${ORDERS_MAX})
  --redis URL          BullMQ on this Redis instead of the embedded PostgreSQL: redis://127.0.0.1:6379
  --data DIR           real orders: a directory with orders.csv and order-details.csv in the form of Northwind
  --seed S             invent the same orders and the same faults again
  --no-faults          nothing is killed, repeated, shuffled or refused
  --keep               run no orders; keep the services running until Ctrl-C (npm start)
  --rescue-every TIME  how often services look for forgotten work: 500ms, 30s, 5m, 1h
  --drop-hints         throw every queued hint away: only that look finds work then
  --patience TIME      give up when nothing moves for this time (default ${PATIENCE_DEFAULT})
  --help               this text

Exit code: 0 when the books agree and every fault fired, 1 when not, 2 for wrong options.
`;

/**
 * Reads the command line.
 *
 * @throws RefusedToBootError `options_invalid` with every problem and its remedy.
 */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values, problems } = parse(args);
  const options: DemoOptions = {
    orders: count(values.orders, problems),
    redis: redisUrl(values.redis, problems),
    data: values.data,
    seed: values.seed ?? String(randomInt(1_000_000)),
    faults: !values['no-faults'],
    keep: values.keep ?? false,
    help: values.help ?? false,
    rescueEveryMs: duration('--rescue-every', values['rescue-every'], problems),
    dropHints: values['drop-hints'] ?? false,
    patienceMs: duration('--patience', values.patience ?? PATIENCE_DEFAULT, problems) ?? 0,
  };
  if (options.seed === '') problems.push('--seed needs a value, for example --seed 42');
  if (options.data === '') problems.push('--data needs a directory, for example --data ./northwind');
  if (problems.length === 0) return options;
  throw new RefusedToBootError('options_invalid', 'The demo can not start (see --help):', problems);
}

const definition = {
  orders: { type: 'string' },
  redis: { type: 'string' },
  data: { type: 'string' },
  seed: { type: 'string' },
  'no-faults': { type: 'boolean' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  'rescue-every': { type: 'string' },
  'drop-hints': { type: 'boolean' },
  patience: { type: 'string' },
} as const;

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({ args: [...args], options: definition, strict: true });
    return { values, problems: [] as string[] };
  } catch (error) {
    const reason = (error as Error).message.split('. To specify')[0] ?? '';
    throw new RefusedToBootError('options_invalid', 'The demo can not start (see --help):', [
      `${reason.replace(/\.$/, '')}. After npm run demo, options need two dashes before them: npm run demo -- --orders 50`,
    ]);
  }
}

function count(text: string | undefined, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= ORDERS_MAX) return number;
  problems.push(`--orders "${text}" is not a whole number from 1 to ${ORDERS_MAX}, for example --orders 50`);
  return undefined;
}

function redisUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '')
    return text;
  problems.push(
    `--redis "${text}" is not the address of a Redis, for example --redis redis://127.0.0.1:6379`,
  );
  return undefined;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function duration(name: string, text: string | undefined, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ''] = /^([1-9]\d{0,5})(ms|s|m|h)$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (UNITS_MS[unit] ?? 1);
  problems.push(`${name} "${text}" is not a time, for example ${name} 30s (ms, s, m or h)`);
  return undefined;
}
