import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CodeFile, codeOf, EXTRACTED, pagesWithCode } from './page-code.js';
import { printedBy } from './printed-by.js';

const pages = pagesWithCode().map((page) => codeOf(page));

rmSync(EXTRACTED, { recursive: true, force: true });
for (const { directory, files } of pages) {
  mkdirSync(directory, { recursive: true });
  for (const { name, text } of files) writeFileSync(join(directory, name), text);
}

for (const { page, directory, files } of pages) {
  for (const file of files.filter(({ kind }) => kind === 'run')) {
    it(`${page}: ${file.name} runs, and prints what the page says`, async () => {
      const printed = await printedBy(() => load(directory, file));
      expect(printed).toBe(file.prints ?? printed);
    });
  }
}

// Their tests are found while this file is loaded.
for (const { page, directory, files } of pages) {
  for (const file of files.filter(({ kind }) => kind === 'spec')) {
    await load(directory, file).catch((error: unknown) => {
      it(`${page}: ${file.name} is loaded`, () => Promise.reject(error as Error));
    });
  }
}

async function load(directory: string, { name }: CodeFile): Promise<unknown> {
  return (await import(join(directory, name))) as unknown;
}
