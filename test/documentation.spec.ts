import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = [...pagesOf('.'), ...pagesOf('docs'), ...pagesOf('examples'), ...pagesOf('libs')];

it.each(PAGES)('%s links to what is there', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  const ours = links.filter((target) => !target.startsWith('https://'));
  expect(ours.filter((target) => !existsSync(resolve(ROOT, dirname(page), target)))).toEqual([]);
});

it('docs/messaging.md quotes code as it stands in the file that is named above it', () => {
  const text = textOf('docs/messaging.md');
  const quotations = [...text.matchAll(/\]\(([^)]+\.ts)\):?\n\n```ts\n([^]*?)```/g)];
  expect(quotations.length).toBeGreaterThan(3);
  expect(quotations).toHaveLength(text.match(/^```ts$/gm)?.length ?? 0);
  for (const [, target = '', code = ''] of quotations)
    expect(withoutIndentation(textOf(join('docs', target)))).toContain(withoutIndentation(code));
});

it('README.md shortens the order workflow: its lines stand there, but for a list and a variable', () => {
  const [, code = ''] = /```ts\n([^]*?)```/.exec(textOf('README.md')) ?? [];
  const lines = linesOf(textOf('apps/orders/src/order.workflow.ts'));
  expect(linesOf(code).length).toBeGreaterThan(40);
  expect(linesOf(code).filter((line) => !lines.includes(line))).toEqual([
    `const shipping = route({ to: 'shipping' });`,
    `@order.Timeout({ in: 'Submitted', after: '30m', to: 'Cancelled' })`,
  ]);
});

it('docs/guarantees.md says of each crash point what is left behind, and of no other', () => {
  const text = textOf('docs/guarantees.md');
  const described = [...text.matchAll(/^\| `([a-z-]+\.[a-z-]+)`/gm)].map(([, name = '']) => name);
  const named = ['core', 'messaging', 'workflow'].flatMap((library) => crashPointsOf(`libs/${library}/src`));
  expect(new Set(described)).toEqual(new Set(named));
});

function pagesOf(directory: string): string[] {
  const recursive = directory !== '.';
  const files = readdirSync(join(ROOT, directory), { recursive, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.md') && !/(^|\/)(dist|node_modules)\//.test(file))
    .map((file) => join(directory, file));
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function crashPointsOf(directory: string): string[] {
  const files = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  return sources.flatMap((file) =>
    [...textOf(join(directory, file)).matchAll(/\bcrashPoint\('([a-z.-]+)'\)/g)].map(([, name = '']) => name),
  );
}

/** Without comments and indentation. */
function linesOf(code: string): string[] {
  const lines = code.split('\n').map((line) => line.replace(/ \/\/ .*$/, '').trim());
  return lines.filter((line) => line !== '');
}

function withoutIndentation(code: string): string {
  return code.trim().replaceAll(/^\s+/gm, '');
}
