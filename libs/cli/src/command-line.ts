import { parseArgs } from 'node:util';
import { PawlError } from '@pawl/core';

export const HELP = `Usage: pawl <command> [options]

  migrate   bring the database's pawl schema up to date
  status    show what is applied and what is missing (exit code 3 if something is)
  sql       print all migrations as one script for psql; needs no database

  dead-letters list            those that nobody has dealt with, oldest first; --resolved the others, --after ID the next page
  dead-letters show ID         one of them with payload and every error
  dead-letters redrive ID...   ask the service to handle them again, under their ids (a moment later: see show)
  dead-letters waive ID...     ask it to close them without effect; what is missing goes to the loss ledger
                               both need --actor NAME --reason TEXT, which are kept

  messages streams             outgoing and incoming partitions: incarnations, sessions, numbers
  messages incarnations        which began since, newest first, and why: restarts, restores, commands
  messages waive ID...         publish outgoing messages no more, ask whether they took effect; what did not goes to the loss ledger
                               needs --actor NAME --reason TEXT, which are kept
  messages new-incarnation     after a restore that the service can not notice, before it runs again: --to SERVICE or --all;
                               --resend-all if it has run since

  --database URL   PostgreSQL to work on; default: the environment's DATABASE_URL
  --source NAME=DIRECTORY   an application's own tables need it, or they are left alone; may be repeated:
                            pawl migrate --source orders=apps/orders/migrations
  --lock-timeout SECONDS    how long to wait for another process that migrates; default 60
  --help           this text

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 migrations are missing.
`;

const COMMANDS = ['migrate', 'status', 'sql', 'dead-letters', 'messages', 'help'] as const;
type Command = (typeof COMMANDS)[number];
/** Those that a verb follows. */
const VERBOSE: readonly Command[] = ['dead-letters', 'messages'];
const DEAD_LETTER_VERBS = ['list', 'show', 'redrive', 'waive'] as const;

const MESSAGES_VERBS = ['streams', 'incarnations', 'waive', 'new-incarnation'] as const;

/** What is to be shown of streams or done about them. */
export interface MessagesOrder {
  readonly verb: (typeof MESSAGES_VERBS)[number];
  readonly ids: readonly string[];
  readonly actor: string;
  readonly reason: string;
  /** The streams to one service; without it, all. */
  readonly to: string | undefined;
  readonly resendAll: boolean;
}

/** What is to be done about which dead letters. */
export interface DeadLetterOrder {
  readonly verb: (typeof DEAD_LETTER_VERBS)[number];
  readonly ids: readonly string[];
  readonly resolved: boolean;
  readonly after: string | undefined;
  readonly actor: string;
  readonly reason: string;
}

export interface CommandLine {
  readonly command: Command;
  readonly database: string | undefined;
  readonly sources: readonly { readonly source: string; readonly directory: string }[];
  readonly lockTimeoutMs: number;
  /** With the command `dead-letters`. */
  readonly deadLetters: DeadLetterOrder | undefined;
  /** With the command `messages`. */
  readonly messages: MessagesOrder | undefined;
}

/**
 * Reads what was typed.
 *
 * @throws PawlError `usage` with what is wrong.
 */
export function readCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): CommandLine {
  const { values, positionals } = parse(args);
  const command = values.help || args.length === 0 ? 'help' : toCommand(positionals);
  const { resolved, after, actor = '', reason = '' } = values;
  return {
    command,
    database: values.database ?? env['DATABASE_URL'],
    sources: (values.source ?? []).map(toSource),
    lockTimeoutMs: toSeconds(values['lock-timeout']) * 1000,
    deadLetters:
      command === 'dead-letters' ? { ...toOrder(positionals), resolved, after, actor, reason } : undefined,
    messages: command === 'messages' ? { ...toMessagesOrder(positionals, values), actor, reason } : undefined,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        database: { type: 'string' },
        source: { type: 'string', multiple: true },
        'lock-timeout': { type: 'string', default: '60' },
        resolved: { type: 'boolean', default: false },
        after: { type: 'string' },
        actor: { type: 'string' },
        reason: { type: 'string' },
        to: { type: 'string' },
        all: { type: 'boolean', default: false },
        'resend-all': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function toCommand(positionals: readonly string[]): Command {
  const [name, ...rest] = positionals;
  const command = COMMANDS.find((each) => each === name);
  if (!command) throw usage(`unknown command: ${name ?? '(none)'}`);
  if (rest.length > 0 && !VERBOSE.includes(command)) throw usage(`unexpected: ${rest.join(' ')}`);
  return command;
}

function toOrder([, name, ...ids]: readonly string[]): Pick<DeadLetterOrder, 'verb' | 'ids'> {
  const verb = DEAD_LETTER_VERBS.find((each) => each === name);
  if (!verb) throw usage(`dead-letters: what? ${DEAD_LETTER_VERBS.join(', ')}, not ${name ?? '(nothing)'}`);
  const wanted = { list: 'no ids', show: 'one id', redrive: 'ids', waive: 'ids' }[verb];
  if (verb === 'list' ? ids.length > 0 : verb === 'show' ? ids.length !== 1 : ids.length === 0)
    throw usage(`dead-letters ${verb} wants ${wanted}`);
  return { verb, ids };
}

function toMessagesOrder(
  [, name, ...ids]: readonly string[],
  { to, all, 'resend-all': resendAll }: { to?: string; all: boolean; 'resend-all': boolean },
): Pick<MessagesOrder, 'verb' | 'ids' | 'to' | 'resendAll'> {
  const verb = MESSAGES_VERBS.find((each) => each === name);
  if (!verb) throw usage(`messages: what? ${MESSAGES_VERBS.join(', ')}, not ${name ?? '(nothing)'}`);
  if ((verb === 'waive') !== ids.length > 0)
    throw usage(`messages ${verb} wants ${verb === 'waive' ? '' : 'no '}ids`);
  if (verb === 'new-incarnation' && (to === undefined) !== all)
    throw usage('messages new-incarnation wants --to SERVICE or --all');
  return { verb, ids, to, resendAll };
}

function toSource(text: string): { source: string; directory: string } {
  const [, source, directory] = /^([a-z0-9_-]+)=(.+)$/.exec(text) ?? [];
  if (source === undefined || directory === undefined)
    throw usage(`--source wants NAME=DIRECTORY, not ${text}`);
  return { source, directory };
}

function toSeconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw usage(`--lock-timeout wants a number of seconds, not ${text}`);
  return Number(text);
}

function usage(problem: string): PawlError {
  return new PawlError('usage', `${problem}\nTry: pawl --help`);
}
