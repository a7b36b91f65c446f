import { jest } from '@jest/globals';
import { testDatabase } from '@pawl/testing';
import { soakSagas } from '../soak/sagas/soak-sagas.js';
import { Dice } from './dice.js';

// Takes some fifteen seconds; the machine may be busy.
jest.setTimeout(120_000);

const { seed } = Dice.fromEnvironment();

it(`sagas come to their ends with each effect once, or undone once, whatever dies, fails or steps in (SEED=${seed})`, async () => {
  const database = await testDatabase();
  try {
    const report = await soakSagas({
      ...{ runs: 16, seed, databaseUrl: database.url, workers: 2, atATime: 16, calmMs: 60_000 },
    });
    expect(report).toMatchObject({ problems: [] });
  } finally {
    await database.drop();
  }
});
