import { table } from '../../apps/demo/src/report.js';
import type { Sample } from './sample.js';
import { type Finding, findings, type SoakReport } from './soak-report.js';

const COLUMNS = [
  ['sent', ({ sent }: Sample) => sent],
  ['effects', ({ effects }: Sample) => effects],
  ['outbox', ({ outbox }: Sample) => outbox],
  ['inbox', ({ inboxStreams }: Sample) => inboxStreams],
  ['above', ({ aboveWatermark }: Sample) => aboveWatermark],
  ['ranges', ({ rangesAbove }: Sample) => rangesAbove],
  ['attempts', ({ attempts }: Sample) => attempts],
  ['outbox kB', ({ outboxBytes }: Sample) => outboxBytes / 1024],
  ['inbox kB', ({ inboxBytes }: Sample) => inboxBytes / 1024],
] as const;
const WIDTH = 9;

export const SAMPLE_HEAD = [...COLUMNS.map(([name]) => name), 'seconds'].map(right).join(' ');

/** One line of progress: rows of the tables while messages flow. */
export function sampleLine(sample: Sample, elapsedMs: number): string {
  const cells = COLUMNS.map(([, of]) => Math.round(of(sample)).toLocaleString('en-US'));
  return [...cells, (elapsedMs / 1000).toFixed(1)].map(right).join(' ');
}

export function resultTable(report: SoakReport): string {
  const rows = findings(report).map(({ what, expected, found, good }: Finding) => [
    ...[what, expected.toLocaleString('en-US'), found],
    good ? 'ok' : 'MISMATCH',
  ]);
  return table(['', 'expected', 'found', ''], rows);
}

export function speedLine({ messages, elapsedMs }: SoakReport): string {
  const perSecond = Math.round(messages / (elapsedMs / 1000));
  return `${perSecond.toLocaleString('en-US')} messages a second, from the sender's transaction to its acknowledgement.`;
}

function right(cell: string): string {
  return cell.padStart(WIDTH);
}
