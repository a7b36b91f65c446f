import { codeOf } from './page-code.js';

const fenced = (language: string, ...lines: string[]): string =>
  ['```' + language, ...lines, '```', ''].join('\n');

it('takes blocks as files by the names on their first lines, hidden ones too', () => {
  const { files } = codeOf(
    'page.md',
    [
      `<!--\n${fenced('ts', '// events.ts', 'export const a = 1;')}-->\n`,
      fenced('ts', '// use.ts', `import { a } from './events.js';`),
      fenced('ts', '// use.spec.ts', `it('is', () => undefined);`),
    ].join('\n'),
  );
  expect(files.map(({ name, kind }) => [name, kind])).toEqual([
    ['events.ts', 'module'],
    ['use.ts', 'module'],
    ['use.spec.ts', 'spec'],
  ]);
  expect(files[0]?.text).toBe('// events.ts\nexport const a = 1;\n');
});

it('joins the blocks of one name', () => {
  const class_ = fenced('ts', '// a.ts', 'class A {');
  const { files } = codeOf('page.md', `${class_}Words.\n\n${fenced('ts', '// a.ts', '}')}`);
  expect(files).toMatchObject([{ text: '// a.ts\nclass A {\n// a.ts\n}\n', pageLines: [2, 3, 8, 9] }]);
});

it('knows what a run has to print: the text that follows it', () => {
  const run = fenced('ts', '// run: a.ts', 'console.log(1);');
  expect(codeOf('page.md', `${run}\n${fenced('text', '1', '2')}`).files).toMatchObject([
    { kind: 'run', prints: '1\n2' },
  ]);
  expect(codeOf('page.md', `${run}\nWords.\n${fenced('text', '1')}`).files[0]).not.toHaveProperty('prints');
});

it('names blocks that do not say which file they are', () => {
  const text = [
    fenced('ts', 'const a = 1;'),
    fenced('ts', '// A comment', 'const a = 1;'),
    fenced('sh', 'ls'),
  ];
  expect(codeOf('page.md', text.join('\n'))).toMatchObject({
    files: [],
    unmarked: ['const a = 1;', '// A comment'],
  });
});

it('finds blocks in lists', () => {
  const { files } = codeOf('page.md', `- so:\n\n  \`\`\`ts\n  // a.ts\n  f(\n    1);\n  \`\`\`\n`);
  expect(files).toMatchObject([{ name: 'a.ts', text: '// a.ts\nf(\n  1);\n' }]);
});
