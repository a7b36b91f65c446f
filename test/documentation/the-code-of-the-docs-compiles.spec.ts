import { compileErrors } from './compile-pages.js';
import { codeOf, pagesWithCode } from './page-code.js';

/** Blocks that say of which file they are a part: their own test compares them with it. */
const QUOTATIONS = ['docs/messaging.md'];

/** Blocks that are too much shortened to be files, by their first lines. `documentation.spec.ts` compares them with the file they shorten. */
const SHORTENED: Readonly<Record<string, readonly string[]>> = {
  'README.md': [`const shipping = route({ to: 'shipping' });`],
};

const pages = pagesWithCode().map((page) => codeOf(page));

it('every block of code on a page says which file it is', () => {
  const others = pages.filter(({ page }) => !QUOTATIONS.includes(page));
  const unmarked = others.flatMap(({ page, unmarked: lines }) => (lines.length > 0 ? [[page, lines]] : []));
  expect(Object.fromEntries(unmarked)).toEqual(SHORTENED);
});

it('the code of all pages compiles', () => {
  expect(compileErrors(pages)).toEqual([]);
});

it('an error is told with its line on the page', () => {
  const text = 'Some words.\n\n```ts\n// one.ts\nexport const one = 1;\n```\n\n```ts\n// two.ts\n';
  const page = codeOf(
    'page.md',
    `${text}import { one } from './one.js';\n\nexport const two: string = one;\n\`\`\`\n`,
  );
  expect(compileErrors([page])).toEqual([`page.md:12: Type 'number' is not assignable to type 'string'.`]);
});
