import { RefusedToBootError } from '@pawl/core';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const BUSES = ['memory', 'redis', 'postgres'] as const;
export type Bus = (typeof BUSES)[number];

export interface SoakCommand {
  readonly messages: number;
  readonly bus: Bus;
  readonly seed: number;
  readonly faults: boolean;
  readonly help: boolean;
}

const MESSAGES_DEFAULT = 100_000;
/** So that some partition has a number 1. */
const MESSAGES_MIN = 100;
const MESSAGES_MAX = 10_000_000;
const SEED_MAX = 2 ** 31;

export const HELP = `Sends messages from one service to another over a bus that loses, repeats and shuffles them, and shows what
that leaves in the tables: the rows stay few, and at rest there are none.

  npm run soak:messages                  ${MESSAGES_DEFAULT.toLocaleString('en-US')} messages through memory
  npm run soak:messages -- [options]

  --messages N   how many (${MESSAGES_MIN} to ${MESSAGES_MAX.toLocaleString('en-US')})
  --bus BUS      memory, redis or postgres: what carries them; servers are started here
  --seed S       the same faults again (0 to ${SEED_MAX})
  --no-faults    nothing is lost, repeated or shuffled: how fast it goes when all is well
  --help         this text

Exit code: 0 when everything is as it has to be, 1 when not, 2 for wrong options or a server that is not installed.
`;

/** Reads the command line. @throws RefusedToBootError `options_invalid` with every problem and its remedy */
export function readSoakOptions(args: readonly string[]): SoakCommand {
  const values = parse(args);
  const problems: string[] = [];
  const command: SoakCommand = {
    messages:
      wholeNumber('--messages', values.messages, { least: MESSAGES_MIN, most: MESSAGES_MAX }, problems) ??
      MESSAGES_DEFAULT,
    bus: busNamed(values.bus ?? 'memory', problems),
    seed: wholeNumber('--seed', values.seed, { least: 0, most: SEED_MAX }, problems) ?? randomInt(SEED_MAX),
    faults: !values['no-faults'],
    help: values.help ?? false,
  };
  if (problems.length > 0) throw refused(problems);
  return command;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        messages: { type: 'string' },
        bus: { type: 'string' },
        seed: { type: 'string' },
        'no-faults': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('. To specify');
    throw refused([
      `${reason}; after npm run soak:messages options need two dashes before them: npm run soak:messages -- --messages 1000`,
    ]);
  }
}

function wholeNumber(
  name: string,
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
  problems: string[],
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  problems.push(`${name} "${text}" is not a whole number from ${least} to ${most}`);
  return undefined;
}

function busNamed(text: string, problems: string[]): Bus {
  const bus = BUSES.find((name) => name === text);
  if (bus === undefined) problems.push(`--bus "${text}" is none of ${BUSES.join(', ')}`);
  return bus ?? 'memory';
}

function refused(problems: readonly string[]): RefusedToBootError {
  return new RefusedToBootError('options_invalid', 'The soak can not start (see --help):', problems);
}
