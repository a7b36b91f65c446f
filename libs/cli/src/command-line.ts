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

  definitions                  versions of workflows: how many of their runs have not ended
  definitions check --workflow NAME --version N
                               whether the class of that version can be taken out (exit code 3 if not), and what is in the way
                               both as JSON with --json

  --database URL   PostgreSQL to work on; default: the environment's DATABASE_URL
  --source NAME=DIRECTORY   an application's own tables need it, or they are left alone; may be repeated:
                            pawl migrate --source orders=apps/orders/migrations
  --lock-timeout SECONDS    how long to wait for another process that migrates; default 60
  --help           this text

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 migrations are missing, or a version can not go.
`;

const COMMANDS = ['migrate', 'status', 'sql', 'dead-letters', 'messages', 'definitions', 'help'] as const;
type Command = (typeof COMMANDS)[number];
/** Those that a verb follows. */
const VERBOSE: readonly Command[] = ['dead-letters', 'messages', 'definitions'];
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

const DEFINITIONS_VERBS = ['list', 'check'] as const;

/** What is to be told of versions of workflows. */
export interface DefinitionsOrder {
  readonly verb: (typeof DEFINITIONS_VERBS)[number];
  /** With `check`. */
  readonly workflow: string;
  readonly version: number;
  readonly json: boolean;
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
  /** With the command `definitions`. */
  readonly definitions: DefinitionsOrder | undefined;
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
    definitions: command === 'definitions' ? toDefinitionsOrder(positionals, values) : undefined,
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
        workflow: { type: 'string' },
        version: { type: 'string' },
        json: { type: 'boolean', default: false },
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

function toDefinitionsOrder(
  [, name = 'list', ...rest]: readonly string[],
  { workflow = '', version = '', json }: { workflow?: string; version?: string; json: boolean },
): DefinitionsOrder {
  const verb = DEFINITIONS_VERBS.find((each) => each === name);
  if (!verb || rest.length > 0)
    throw usage(`definitions: what? ${DEFINITIONS_VERBS.join(', ')}, not ${[name, ...rest].join(' ')}`);
  if (verb === 'check' && (workflow === '' || !/^[1-9]\d{0,8}$/.test(version)))
    throw usage('definitions check wants --workflow NAME and --version N');
  return { verb, workflow, version: Number(version), json };
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
