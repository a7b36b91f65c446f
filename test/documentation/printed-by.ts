import { format } from 'node:util';

/** What a piece of work writes to the console, without the line end at its end. */
export async function printedBy(work: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => lines.push(format(...values));
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines.join('\n');
}
