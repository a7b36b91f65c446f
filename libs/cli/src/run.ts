import { PawlError } from '@pawl/core';
import { describeMigration, migrate, migrationSql, migrationStatus, pawlMigrations } from '@pawl/migrations';
import pg from 'pg';
import { HELP, readCommandLine } from './command-line.js';
import type { CommandLine } from './command-line.js';
import { tendDeadLetters } from './tend-dead-letters.js';
import { tendDefinitions } from './tend-definitions.js';
import { tendMessages } from './tend-messages.js';

const CONNECT_TIMEOUT_MS = 10_000;
const WRONG_USAGE = ['usage', 'dead_letter_request_invalid', 'message_request_invalid'];

export interface Output {
  out(text: string): void;
  error(text: string): void;
}

/** The `pawl` command without its process: answers the exit code. Never throws; no error shows the database's password. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  try {
    return await execute(readCommandLine(args, env), output);
  } catch (error) {
    output.error(`pawl: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof PawlError && WRONG_USAGE.includes(error.code) ? 2 : 1;
  }
}

async function execute(line: CommandLine, output: Output): Promise<number> {
  const sources = [pawlMigrations, ...line.sources];
  switch (line.command) {
    case 'help':
      output.out(HELP);
      return 0;
    case 'sql':
      output.out(await migrationSql(sources));
      return 0;
    case 'migrate':
      return withClient(line, async (client) => {
        const applied = await migrate(client, sources, { lockTimeoutMs: line.lockTimeoutMs });
        output.out(applied.map((each) => `applied ${describeMigration(each)}\n`).join(''));
        output.out(upToDate(sources.map(({ source }) => source)));
        return 0;
      });
    case 'dead-letters':
      return withClient(line, (client) => tendDeadLetters(client, line.deadLetters, output));
    case 'messages':
      return withClient(line, (client) => tendMessages(client, line.messages, output));
    case 'definitions':
      return withClient(line, (client) => tendDefinitions(client, line.definitions, output));
    case 'status':
      return withClient(line, async (client) => {
        const { applied, pending } = await migrationStatus(client, sources);
        const rows = applied.map(
          (each) => `applied ${describeMigration(each)} ${each.appliedAt.toISOString()}\n`,
        );
        output.out([...rows, ...pending.map((each) => `missing ${describeMigration(each)}\n`)].join(''));
        return pending.length === 0 ? 0 : 3;
      });
  }
}

function upToDate(sources: readonly string[]): string {
  const hint = sources.length > 1 ? '' : " (an application's own tables need --source NAME=DIRECTORY)";
  return `up to date: ${sources.join(', ')}${hint}\n`;
}

async function withClient(
  { database }: CommandLine,
  work: (client: pg.Client) => Promise<number>,
): Promise<number> {
  if (!database)
    throw new PawlError('usage', 'no database: set DATABASE_URL or give --database\nTry: pawl --help');
  const client = await connect(database);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function connect(database: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: database, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    client.on('error', () => undefined); // the connection broke: the statement that runs or comes next fails with it
    await client.connect();
    return client;
  } catch (cause) {
    const reason = (cause as Error).message || String((cause as { code?: unknown }).code);
    throw new PawlError('database_unreachable', `can not connect to the database: ${reason}`, {}, cause);
  }
}
