import { setTimeout as pause } from 'node:timers/promises';
import type { ForkedService } from '@pawl/testing';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';
import { Dice } from './dice.js';

const RUNS = 200;
const KILLS = 4;

describe('Two workers die at random', () => {
  let stage: CrashStage;
  beforeAll(async () => (stage = await CrashStage.set()));
  afterAll(async () => stage.strike());

  const dice = Dice.fromEnvironment();
  it(`and are started again, while ${RUNS} runs are under way: each effect is there once (SEED=${dice.seed})`, async () => {
    stage.ledger.behave = async () => {
      await pause(dice.between(10, 100));
    };
    const fork = async (): Promise<ForkedService> => stage.fork({ engine: { concurrency: 8 } });
    const places = [fork(), fork()] as const satisfies Promise<ForkedService>[];
    const workers = [...places];
    const keys = stage.keys(RUNS);
    (await places[0]).send({ start: keys.slice(0, RUNS / 2) });
    (await places[1]).send({ start: keys.slice(RUNS / 2) });
    await stage.started(keys);
    const moments = Array.from({ length: KILLS }, () => dice.between(1, RUNS - 40)).sort((a, b) => a - b);
    for (const finished of moments) {
      await stage.finishedOf(keys, finished);
      const place = dice.between(0, workers.length);
      const worker = await workers[place];
      worker?.kill('SIGKILL');
      expect(await worker?.exited).toEqual({ code: null, signal: 'SIGKILL' });
      workers[place] = fork();
    }
    await Promise.all(workers);
    await stage.finished(keys);
    expect(await stage.account(keys, { callsMax: 1 + KILLS })).toEqual(eachOnce(keys));
  });
});
