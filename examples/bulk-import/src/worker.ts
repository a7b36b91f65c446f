// A process that imports, until it is killed: `DATABASE_URL` names a migrated database, `LEDGER` the file that counts mails.
import { EffectLedger, startTestEngine } from '@pawl/testing';
import { CustomerImportWorkflow } from './import.workflow.js';

const { DATABASE_URL = '', LEDGER = '' } = process.env;
const ledger = EffectLedger.open(LEDGER);
const mailer = {
  send: async ({ to }: { to: string }) => ledger.note(`${to}: from a process that was to be killed`),
};

process.once('disconnect', () => process.exit());
const engine = await startTestEngine({
  workflows: [new CustomerImportWorkflow(mailer)],
  databaseUrl: DATABASE_URL,
  clock: false, // the database has one already, which the test sets
});
await engine.drain();
await engine.stop();
process.disconnect();
