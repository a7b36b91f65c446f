import {
  EffectLedger,
  type ForkedService,
  forkService,
  startTestEngine,
  type TestEngine,
} from '@pawl/testing';
import { customerFile, flawOf, SCHEMA } from './customer-file.js';
import { CustomerImportWorkflow, type ImportReport } from './import.workflow.js';
import { FileUploaded } from './messages.js';

const SEED = 2026;
const rows = customerFile(SEED, 1_000);
const valid = rows.filter((row) => flawOf(row) === undefined);
const invalid = rows.filter((row) => flawOf(row) !== undefined);

describe(`the import of 1,000 rows (seed ${SEED})`, () => {
  const ledger = EffectLedger.create();
  let engine: TestEngine;
  let worker: ForkedService | undefined;

  beforeAll(async () => {
    const mailer = {
      send: async ({ to, subject, report }: { to: string; subject: string; report: ImportReport }) =>
        ledger.note(`${to}: ${subject}, ${report.imported} rows, not lines ${report.lines.join(', ')}`),
    };
    engine = await startTestEngine({ workflows: [new CustomerImportWorkflow(mailer)], schema: SCHEMA });
  });
  afterAll(async () => {
    worker?.kill('SIGKILL');
    await engine.stop();
    ledger.remove();
  });

  const upload = async (file: string) => {
    await engine.rows(
      `insert into import_row (file, line, email, points)
       select $1, line, email, points from jsonb_to_recordset($2) as r (line integer, email text, points text)`,
      [file, JSON.stringify(rows)],
    );
    await engine.client.start(
      CustomerImportWorkflow,
      file,
      new FileUploaded(rows.length, 'ann@mail.example'),
    );
  };
  const status = async (file: string) => engine.client.status(CustomerImportWorkflow, file);
  const sums =
    'select coalesce(sum(rows), 0)::int as rows, coalesce(sum(points), 0)::int as points from customer';
  const eachOnce = {
    rows: valid.length,
    points: valid.reduce((sum, { points }) => sum + Number(points), 0),
  };
  const mail = (file: string) =>
    `ann@mail.example: ${file} is imported, ${valid.length} rows, not lines ${invalid
      .map(({ line }) => line)
      .slice(0, 20)
      .join(', ')}`;

  it('has rows to refuse, and customers that are there twice', () => {
    expect(invalid.length).toBeGreaterThan(10);
    expect(new Set(valid.map(({ email }) => email)).size).toBeLessThan(valid.length - 20);
  });

  it('goes on where its process was killed: every row once, and one report', async () => {
    await upload('spring.csv');
    expect(await status('spring.csv')).toEqual({ stage: 'waiting' });
    worker = forkService('examples/bulk-import/src/worker.ts', {
      env: { DATABASE_URL: engine.databaseUrl, LEDGER: ledger.file },
      crashPoint: 'items.before-commit:20',
    });
    expect(await worker.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(worker.crashed()).toBe(true);
    const [left] = await engine.rows<{ rows: number }>(sums);
    expect(left?.rows).toBeGreaterThan(0);
    expect(left?.rows).toBeLessThan(valid.length);
    expect(await status('spring.csv')).toMatchObject({ stage: 'importing', of: 1_000 });

    await engine.clock.advance('30s'); // the lease of the killed one is over
    await engine.drain();
    expect(await engine.rows(sums)).toEqual([eachOnce]);
    expect(ledger.effects).toEqual([mail('spring.csv')]);
    expect(await status('spring.csv')).toEqual({
      stage: 'done',
      imported: valid.length,
      invalid: invalid.length,
      of: 1_000,
    });
  });
});
