import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Where the code of the pages is extracted: inside the repository, so that its packages are found, and ignored by git. */
export const EXTRACTED = join(ROOT, '.docs-code');

/** The TypeScript of one page: its blocks by the names on their first lines, as modules that can import each other. */
export interface PageCode {
  readonly page: string;
  readonly directory: string;
  readonly files: readonly CodeFile[];
  /** First lines of blocks that do not say which file they are. */
  readonly unmarked: readonly string[];
}

export interface CodeFile {
  readonly name: string;
  /** `run`: executed, has to end without an error. `spec`: its tests are tests of this run. `module`: imported by others. */
  readonly kind: 'module' | 'run' | 'spec';
  /** Blocks of one name are joined in their order. */
  readonly text: string;
  /** For each line of the text, which line of the page it is. */
  readonly pageLines: readonly number[];
  /** What a run has to print, if a text block follows its last block. */
  readonly prints?: string;
}

interface Block {
  readonly language: string;
  readonly lines: readonly string[];
  /** Of the first line, counted from 1. */
  readonly pageLine: number;
  /** Nothing but blank lines stands between this block and the one before. */
  readonly follows: boolean;
}

const FENCE = /^(?<indent> *)```(?<language>\w*)\n(?<code>[^]*?)^ *```$/gm;
const MARK = /^\/\/ (?<run>run: )?(?<name>[\w-]+(?:\.[\w-]+)*\.ts)$/;

/** Pages whose TypeScript has to compile, and to run where it says so. */
export function pagesWithCode(): string[] {
  const libraries = readdirSync(join(ROOT, 'libs')).map((library) => `libs/${library}`);
  return ['.', 'docs', ...libraries].flatMap((directory) =>
    readdirSync(join(ROOT, directory))
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(directory, file)),
  );
}

export function codeOf(page: string, text = readFileSync(join(ROOT, page), 'utf8')): PageCode {
  const files = new Map<string, CodeFile>();
  const unmarked: string[] = [];
  let last: CodeFile | undefined;
  for (const block of blocksOf(text)) {
    const { language, lines, follows } = block;
    if (language === 'ts' || language === 'typescript') {
      last = fileOf(block, files);
      if (last) files.set(last.name, last);
      else unmarked.push(lines[0] ?? '');
    } else if (language === 'text' && follows && last?.kind === 'run') {
      files.set(last.name, { ...last, prints: lines.join('\n') });
    } else last = undefined;
  }
  const directory = join(EXTRACTED, page.replaceAll(/[/.]/g, '-'));
  return { page, directory, files: [...files.values()], unmarked };
}

function blocksOf(text: string): Block[] {
  let end = 0;
  return [...text.matchAll(FENCE)].map((match) => {
    const { indent = '', language = '', code = '' } = match.groups ?? {};
    const follows = text.slice(end, match.index).trim() === '';
    const pageLine = text.slice(0, match.index).split('\n').length + 1;
    end = match.index + match[0].length;
    const lines = code.split('\n').slice(0, -1);
    return { language, follows, pageLine, lines: lines.map((line) => withoutIndent(line, indent)) };
  });
}

function fileOf({ lines, pageLine }: Block, files: ReadonlyMap<string, CodeFile>): CodeFile | undefined {
  const { run, name } = MARK.exec(lines[0] ?? '')?.groups ?? {};
  if (name === undefined) return undefined;
  const before = files.get(name);
  return {
    name,
    kind: run !== undefined ? 'run' : name.endsWith('.spec.ts') ? 'spec' : 'module',
    text: `${before?.text ?? ''}${lines.join('\n')}\n`,
    pageLines: [...(before?.pageLines ?? []), ...lines.map((_, n) => pageLine + n)],
  };
}

function withoutIndent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line;
}
