import { InMemoryBus } from '@pawl/messaging';
import { testDatabase } from '@pawl/testing';
import { jest } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { soakMessages } from './soak-messages.js';
import { findings } from './soak-report.js';

// Takes about ten seconds; the machine may be busy.
jest.setTimeout(180_000);

const MESSAGES = 10_000;

it('messages that are lost, repeated and shuffled take effect once, and leave nothing behind', async () => {
  const seed = Number(process.env['PAWL_SEED'] ?? randomInt(2 ** 31));
  const databases = { orders: await testDatabase(), shipping: await testDatabase() };
  try {
    const report = await soakMessages({
      ...{ messages: MESSAGES, seed, faults: true, bus: new InMemoryBus(), databases },
    });
    const wrong = findings(report).filter(({ good }) => !good);
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  } finally {
    await Promise.all([databases.orders.drop(), databases.shipping.drop()]);
  }
});
