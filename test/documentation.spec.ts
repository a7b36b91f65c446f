import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PAGES = ['docs/guarantees.md', 'docs/messaging.md'];

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const missing = links.filter((target) => !existsSync(resolve(ROOT, dirname(page), target)));
    expect(links.length).toBeGreaterThan(3);
    expect(missing).toEqual([]);
  });

  it('quotes code as it stands in the file that is named above it', () => {
    const quotations = [...text.matchAll(/\]\(([^)]+\.ts)\):?\n\n```ts\n([^]*?)```/g)];
    const blocks = text.match(/^```ts$/gm) ?? [];
    expect(quotations).toHaveLength(blocks.length);
    for (const [, target = '', code = ''] of quotations) {
      const source = withoutIndentation(readFileSync(resolve(ROOT, dirname(page), target), 'utf8'));
      expect(source).toContain(withoutIndentation(code));
    }
  });
});

it('docs/guarantees.md says of each crash point what is left behind, and of no other', () => {
  const text = readFileSync(join(ROOT, 'docs/guarantees.md'), 'utf8');
  const described = [...text.matchAll(/^\| `([a-z-]+\.[a-z-]+)`/gm)].map(([, name = '']) => name);
  const named = ['core', 'messaging', 'workflow'].flatMap((library) => crashPointsOf(`libs/${library}/src`));
  expect(new Set(described)).toEqual(new Set(named));
});

function crashPointsOf(directory: string): string[] {
  const files = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  return sources.flatMap((file) => {
    const text = readFileSync(join(ROOT, directory, file), 'utf8');
    return [...text.matchAll(/\bcrashPoint\('([a-z.-]+)'\)/g)].map(([, name = '']) => name);
  });
}

function withoutIndentation(code: string): string {
  return code.trim().replaceAll(/^\s+/gm, '');
}
