import { jest } from '@jest/globals';
import { EffectLedger, forkService, testDatabase, until } from '@pawl/testing';
import { FeeDue, FeeWorkflow, openFees } from './delay-service.js';

jest.setTimeout(60_000);

describe('A worker dies delaying a step', () => {
  it('at step.after-delay: another one begins the step at the time that is on record, once', async () => {
    const database = await testDatabase();
    const ledger = EffectLedger.create();
    const client = await openFees(database.url, ledger, false);
    const env = { FEE_DATABASE: database.url, FEE_EFFECTS: ledger.file };
    const worker = forkService('test/crash/delay-service.ts', { env, crashPoint: 'step.after-delay' });
    try {
      await worker.ready();
      await client.client.start(FeeWorkflow, 'A-1', new FeeDue());
      expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
      expect(worker.crashed()).toBe(true);
      const before = await client.rows(DELAYED);
      expect(before).toMatchObject([{ status: 'open', attempts: 0 }]);
      expect(ledger.effects).toEqual([]);
      client.runtime.start();
      const charged = async () => (await client.client.runOf(FeeWorkflow, 'A-1'))?.status === 'completed';
      await until(charged, { what: 'a charged fee', timeoutMs: 30_000 });
      expect(ledger.effects).toHaveLength(1);
      expect(await client.rows(DELAYED)).toMatchObject([{ status: 'done', attempts: 1 }]);
    } finally {
      worker.kill('SIGKILL');
      await worker.exited;
      await client.stop();
      await database.drop();
      ledger.remove();
    }
  });
});

const DELAYED = `select status, attempts from pawl.step where name = 'charge'`;
