import { type ForkedService, forkService, type TestEngine } from '@pawl/testing';
import { Dice } from '../../crash/dice.js';
import { bringToAnEnd } from './bring-to-an-end.js';
import { BY, Disturbance } from './disturb.js';
import { findings } from './findings.js';
import { Provider } from './provider.js';
import { TOUR_SCHEMA, TourOfVersion2 } from './tour.js';
import { openTours } from './tour-service.js';
import { setTimeout as pause } from 'node:timers/promises';

export interface SagaSoak {
  readonly runs: number;
  readonly seed: number;
  readonly databaseUrl: string;
  readonly workers: number;
  /** Runs that are disturbed at a time. */
  readonly atATime: number;
  /** How long, once nobody is in the way any more, until all runs have ended. Milliseconds. */
  readonly calmMs: number;
}

export interface SagaReport {
  /** Runs, by how they have ended. */
  readonly ends: Readonly<Record<string, number>>;
  readonly killed: number;
  readonly effects: number;
  readonly problems: readonly string[];
}

/** Sagas on workers that die, at a provider that fails, with events and people in the way; then calm, and what has come of it. */
export async function soakSagas(soak: SagaSoak): Promise<SagaReport> {
  const provider = await Provider.start(soak.seed);
  const crew = new Crew(soak, provider.url);
  let engine: TestEngine | undefined;
  try {
    engine = await openTours(soak.databaseUrl, provider.url, false);
    await engine.rows(TOUR_SCHEMA);
    await crew.begin();
    await disturbed(engine, crew, soak);
    provider.faulty = false;
    const stuck = await bringToAnEnd(engine, soak.calmMs);
    const ends = await engine.rows<{ status: string; n: number }>(
      'select status, count(*)::int as n from pawl.run group by status order by status',
    );
    const problems = [
      ...stuck.map((run) => `stuck: ${JSON.stringify(run)}`),
      ...(stuck.length > 0 ? [] : await findings(engine, provider.books)),
    ];
    return {
      ends: Object.fromEntries(ends.map(({ status, n }) => [status, n])),
      killed: crew.killed,
      effects: provider.books.entries.length,
      problems,
    };
  } finally {
    await crew.end();
    await engine?.stop();
    await provider.stop();
  }
}

/** All runs, so many at a time, while workers die and runs are migrated. */
async function disturbed(engine: TestEngine, crew: Crew, { runs, seed, atATime }: SagaSoak): Promise<void> {
  const waiting = Array.from({ length: runs }, (_, n) => new Disturbance(engine, `tour-${n}`, seed));
  const over = new AbortController();
  const killing = crew.dieAtRandom(over.signal);
  const migrating = migrateNowAndThen(engine, over.signal);
  const lanes = Array.from({ length: atATime }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next.play();
  });
  await Promise.all(lanes).finally(() => over.abort());
  await Promise.all([killing, migrating]);
}

async function migrateNowAndThen({ runtime }: TestEngine, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await runtime.versions.migrate(TourOfVersion2, { ...BY, from: 1, limit: 3 });
    await pause(400, undefined, { signal: over }).catch(() => undefined);
  }
}

/** The processes that work. One that dies is replaced at once. */
class Crew {
  killed = 0;
  private readonly places: Promise<ForkedService>[] = [];
  private readonly dice: Dice;

  constructor(
    private readonly soak: SagaSoak,
    private readonly providerUrl: string,
  ) {
    this.dice = new Dice(soak.seed);
  }

  async begin(): Promise<void> {
    for (let n = 0; n < this.soak.workers; n++) this.places.push(this.fork());
    await Promise.all(this.places);
  }

  async dieAtRandom(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await pause(this.dice.between(300, 1_500), undefined, { signal: over }).catch(() => undefined);
      const place = this.dice.between(0, this.places.length);
      const worker = await this.places[place];
      if (over.aborted || worker === undefined) continue;
      worker.kill('SIGKILL');
      await worker.exited;
      this.killed++;
      this.places[place] = this.fork();
    }
    await Promise.all(this.places);
  }

  async end(): Promise<void> {
    const workers = await Promise.all(this.places);
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.map(({ exited }) => exited));
  }

  private async fork(): Promise<ForkedService> {
    const env = { TOUR_DATABASE: this.soak.databaseUrl, TOUR_PROVIDER: this.providerUrl };
    const worker = forkService('test/soak/sagas/tour-service.ts', { env });
    await worker.ready();
    return worker;
  }
}
