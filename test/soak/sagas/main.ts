import { migrate } from '@pawl/migrations';
import { startPostgres } from '@pawl/testing';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { soakSagas } from './soak-sagas.js';

const HELP = `Sagas on workers that are killed at random, at a provider that fails, refuses and hangs, while events come twice and in any order and people
cancel, pause, resume, redrive, skip, terminate and migrate runs. Then it is calm, and each effect is to be there once, or undone once.

  npm run soak:sagas -- [options]

  --runs N      how many (default 500)
  --seed S      the same faults, events and orders again; when workers die follows from the seed too, but not to the millisecond
  --workers N   processes that work (default 3)
  --help        this text

Exit code: 0 when everything is as it has to be, 1 when not, 2 for wrong options.
`;
const SEED_MAX = 2 ** 31;
const AT_A_TIME = 30;
const CALM_MS = 120_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(randomInt(SEED_MAX)) },
    workers: { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
process.exit(values.help ? help() : await soak());

function help(): number {
  console.log(HELP);
  return 0;
}

async function soak(): Promise<number> {
  const [runs, seed, workers] = [Number(values.runs), Number(values.seed), Number(values.workers)];
  if (![runs, seed, workers].every((value) => Number.isSafeInteger(value) && value >= 0) || workers === 0) {
    console.error(HELP);
    return 2;
  }
  console.log(`${runs} runs on ${workers} workers, seed ${seed}`);
  const postgres = await startPostgres();
  try {
    const databaseUrl = await migrated(await postgres.createDatabase('tours'));
    const soaked = { runs, seed, workers, databaseUrl, atATime: AT_A_TIME, calmMs: CALM_MS };
    const { problems, ...facts } = await soakSagas(soaked);
    console.log(facts);
    for (const problem of problems) console.log(`- ${problem}`);
    if (problems.length > 0) console.log(`\nThis is wrong. Again with the same faults: --seed ${seed}`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await postgres.stop();
  }
}

async function migrated(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  await migrate(client);
  await client.end();
  return url;
}
