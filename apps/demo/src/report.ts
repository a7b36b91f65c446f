import type { ReconciledRow } from './reconcile.js';
import { agrees } from './reconcile.js';

/** What a fault was meant to do, and how often it did. */
export interface FaultCount {
  readonly name: string;
  readonly fired: number;
  /** For people: what it hit. */
  readonly detail?: string;
}

/** Rows of cells, numbers to the right, each column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => text(row[column] ?? '').length)),
  );
  const numeric = head.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (row: readonly (string | number)[]) =>
    row
      .map((cell, column) => fit(text(cell), widths[column] ?? 0, numeric[column] ?? false))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

function fit(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}

export function reconciliationTable(rows: readonly ReconciledRow[]): string {
  const head = ['effect', 'counted in', 'expected', 'found', 'duplicates', 'losses', 'wrong', ''];
  const lines = rows.flatMap((row) => [
    [
      ...[row.name, row.countedIn, row.expected, row.found, row.duplicates, row.losses, row.wrong],
      mark(agrees(row)),
    ],
    ...amountLine(row),
  ]);
  const details = rows.flatMap(({ name, examples }) => examples.map((example) => `  ${name}: ${example}`));
  return [table(head, lines), ...details].join('\n');
}

function amountLine({ amounts }: ReconciledRow): (string | number)[][] {
  if (!amounts) return [];
  const { unit, expected, found } = amounts;
  return [[`  in ${unit}`, '', expected, found, '', '', '', '']];
}

export function faultTable(faults: readonly FaultCount[]): string {
  const rows = faults.map(({ name, fired, detail = '' }) => [
    name,
    fired,
    fired === 0 ? mark(false) : detail,
  ]);
  return table(['fault', 'fired', ''], rows);
}

export function verdictTable(verdicts: ReadonlyMap<string, number>): string {
  const rows = [...verdicts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => [...split(name), count]);
  return table(['verdict', 'rule', 'answers'], rows);
}

function split(name: string): [string, string] {
  const [verdict = '', rule = ''] = name.split(' ');
  return [verdict, rule];
}

function mark(good: boolean): string {
  return good ? 'ok' : 'MISMATCH';
}

function text(cell: string | number): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}
