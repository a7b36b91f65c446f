import { PermanentError, type StatusPosition, type StepContext, workflow } from '@pawl/workflow';
import { type CustomerRow, flawOf } from './customer-file.js';
import { FileUploaded } from './messages.js';

/** An import as its run knows it; the rows themselves stay in their table, under the run's key. */
export interface Import {
  rows: number;
  reportTo: string;
}

/** What the mail at the end says. */
export interface ImportReport {
  readonly imported: number;
  readonly invalid: number;
  /** Lines to look at, the first of them. */
  readonly lines: readonly number[];
}

/** What whoever has uploaded the file is shown meanwhile. */
export interface ImportStatus {
  readonly stage: 'waiting' | 'importing' | 'done';
  readonly imported?: number;
  readonly invalid?: number;
  readonly of?: number;
}

/** Sends a mail; it can not tell one that it has sent before, so nobody should ask it twice. */
export interface Mailer {
  send(mail: { readonly to: string; readonly subject: string; readonly report: ImportReport }): Promise<void>;
}

const customers = workflow<Import>()('customer-import', {
  version: 1,
  states: ['Importing', 'Reported'],
  final: ['Reported'],
});

@customers.Workflow()
export class CustomerImportWorkflow {
  constructor(private readonly mailer: Mailer) {}

  @customers.On(FileUploaded, { start: true, to: 'Importing' })
  uploaded(data: Import, { rows, reportTo }: FileUploaded): void {
    Object.assign(data, { rows, reportTo });
  }

  /** Each row commits with the record that it is done, so it is imported once. An invalid one is counted, and holds up no other. */
  @customers.Step({
    in: 'Importing',
    forEach: { items: ({ rows }) => rows, concurrency: 4, onItemFailure: 'continue' },
  })
  async importRow({ key, index, tx }: StepContext<Import>): Promise<void> {
    const read = 'select line, email, points from import_row where file = $1 and line = $2';
    const [row] = (await tx.query(read, [key, index])) as CustomerRow[];
    const flaw = row ? flawOf(row) : 'it is missing';
    if (!row || flaw !== undefined) throw new PermanentError(`Line ${index}: ${flaw}`);
    await tx.query(
      `insert into customer as c (email, points, rows) values ($1, $2, 1)
       on conflict (email) do update set points = c.points + excluded.points, rows = c.rows + 1`,
      [row.email, Number(row.points)],
    );
    await tx.query('update import_row set imported = true where file = $1 and line = $2', [key, index]);
  }

  @customers.Step({ in: 'Importing' })
  async sumUp({ key, tx }: StepContext<Import>): Promise<ImportReport> {
    const [report] = (await tx.query(
      `select count(*) filter (where imported)::int as imported, count(*) filter (where not imported)::int as invalid,
         coalesce((array_agg(line order by line) filter (where not imported))[:20], '{}') as lines
       from import_row where file = $1`,
      [key],
    )) as ImportReport[];
    return report ?? { imported: 0, invalid: 0, lines: [] };
  }

  /** A mail can not be taken back, nor asked about: rather none than two. One that may be lost is listed for an operator. */
  @customers.Step({ in: 'Importing', to: 'Reported', effect: 'external', guarantee: 'at-most-once' })
  async mailReport({ key, data, outputs }: StepContext<Import>): Promise<void> {
    const report = outputs['sumUp'] as ImportReport;
    await this.mailer.send({ to: data.reportTo, subject: `${key} is imported`, report });
  }

  /** A step with `forEach` tells its counts from its beginning on. */
  @customers.Status()
  status(_: Readonly<Import>, { state, outputs }: StatusPosition): ImportStatus {
    const rows = outputs['importRow'] as { total: number; done: number; failed: number } | undefined;
    if (rows === undefined) return { stage: 'waiting' };
    const stage = state === 'Reported' ? 'done' : 'importing';
    return { stage, imported: rows.done, invalid: rows.failed, of: rows.total };
  }
}
