import { readFileSync, readdirSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  /** Gone after compilation: says what something looks like, needs nothing of it at run time. */
  readonly typeOnly: boolean;
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Does nothing but pass on what other files export. */
  readonly isBarrel: boolean;
}

/** Answers what in a file breaks the rule. */
type Rule = (file: SourceFile) => readonly string[];

const LIBRARIES = ['core', 'config', 'contracts', 'messaging', 'workflow', 'admin', 'migrations'];
/** Their tests fork processes of their own. */
const FOR_EXAMPLES = [...LIBRARIES, 'testing'];
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'libs/core': [],
  'libs/config': ['core'],
  'libs/messaging': ['core'],
  'libs/contracts': ['core', 'messaging'],
  'libs/workflow': ['core', 'messaging'],
  'libs/admin': ['core', 'messaging', 'workflow'],
  'libs/cli': ['core', 'messaging', 'workflow', 'migrations'],
  'libs/testing': ['core', 'messaging', 'workflow', 'migrations'],
  migrations: ['core'],
  'apps/orders': LIBRARIES,
  'apps/shipping': LIBRARIES,
  'apps/demo': [...LIBRARIES, 'testing'],
};

/** Plain TypeScript: what they answer depends on nothing but their arguments. */
const PURE = /^libs\/workflow\/src\/(model|definition|machine)\//;
const TYPEORM =
  /^(libs\/core\/src\/transaction\/|libs\/\w+\/src\/(store|inbox|outbox|request)\/|libs\/.*\.module\.ts$|libs\/testing\/|apps\/|examples\/)/;
const QUEUES = /^(libs\/\w+\/src\/(dispatch|transport)\/|libs\/testing\/|apps\/demo\/)/;
const IMPURE =
  /\b(process\.|Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|randomUUID\(|set(Timeout|Interval)\()/;

const RULES: Readonly<Record<string, Rule>> = {
  'a package imports only the packages below it': ({ path, imports }) => {
    const below = path.startsWith('examples/') ? FOR_EXAMPLES : PACKAGES[packageOf(path)];
    if (!below) return [`${packageOf(path)} has no place in the order of packages`];
    return imports
      .map(({ from }) => /^@pawl\/([\w-]+)/.exec(from)?.[1])
      .filter((name) => name !== undefined && !below.includes(name))
      .map((name) => `imports @pawl/${name}`);
  },
  'a package is entered by its index, and never by a path': ({ path, imports }) =>
    imports
      .map(({ from }) => from)
      .filter((from) => /^@pawl\/[\w-]+\//.test(from) || leavesPackage(path, from))
      .map((from) => `imports ${from}`),
  'only the places that own transactions and tables use typeorm': ({ path, imports }) =>
    TYPEORM.test(path) ? [] : valuesOf(imports, /^(typeorm|@nestjs\/typeorm)$/),
  'only dispatch and transport use the queues': ({ path, imports }) =>
    QUEUES.test(path) ? [] : importsOf(imports, /^(bullmq|ioredis|@nestjs\/bullmq)$/),
  'model, definition and machine know no framework, server, clock or environment': ({
    path,
    imports,
    text,
  }) => {
    if (!PURE.test(path)) return [];
    const impure = text.split('\n').filter((line) => IMPURE.test(line) && !/^\s*(\/?\*|\/\/)/.test(line));
    return [
      ...valuesOf(imports, /^(typeorm|reflect-metadata|rxjs|pg)$/),
      ...importsOf(imports, /^(@nestjs\/|bullmq|node:(?!crypto$))/),
      ...imports
        .map(({ from }) => from)
        .filter((from) => from.startsWith('.') && !PURE.test(posix.join(posix.dirname(path), from)))
        .map((from) => `imports ${from}`),
      ...impure.map((line) => `uses ${line.trim()}`),
    ];
  },
  'model stands below definition and machine': ({ path, imports }) =>
    path.includes('/src/model/') ? importsOf(imports, /^\.\.\//) : [],
  'store knows nothing of those who use it': ({ path, imports }) =>
    path.includes('/src/store/')
      ? importsOf(imports, /^(\.\.\/)+(engine|dispatch|maintenance|module)\//)
      : [],
  'a barrel stands only at the index of a library': ({ path, isBarrel }) => {
    const isIndex = /^(libs\/[\w-]+|migrations)\/src\/index\.ts$/.test(path);
    return (isBarrel || path.endsWith('/index.ts')) && !isIndex ? ['is a barrel'] : [];
  },
};

const files = ['libs', 'apps', 'examples', 'migrations'].flatMap(sourcesBelow);

it.each(Object.keys(RULES))('%s', (rule) => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap((file) => broken(rule, file))).toEqual([]);
});

it.each([
  [
    'a package imports only the packages below it',
    'libs/messaging/src/x.ts',
    `import { W } from '@pawl/workflow';`,
  ],
  [
    'a package imports only the packages below it',
    'apps/orders/src/x.ts',
    `import { u } from '@pawl/testing';`,
  ],
  [
    'a package is entered by its index',
    'libs/admin/src/x.ts',
    `import { R } from '../../workflow/src/run.js';`,
  ],
  [
    'a package is entered by its index',
    'libs/admin/src/x.ts',
    `import { R } from '@pawl/workflow/src/run.js';`,
  ],
  ['only the places that own', 'libs/workflow/src/engine/x.ts', `import { DataSource } from 'typeorm';`],
  ['only dispatch and transport', 'libs/workflow/src/engine/x.ts', `import type { Job } from 'bullmq';`],
  ['only dispatch and transport', 'libs/messaging/src/inbox/x.ts', `await import('ioredis');`],
  ['model, definition and machine', 'libs/workflow/src/machine/x.ts', `const now = Date.now();`],
  ['model, definition and machine', 'libs/workflow/src/model/x.ts', `import { s } from '../store/x.js';`],
  [
    'model, definition and machine',
    'libs/workflow/src/machine/steps/x.ts',
    `import { s } from '../../store/x.js';`,
  ],
  [
    'model, definition and machine',
    'libs/workflow/src/machine/x.ts',
    `import { Injectable } from '@nestjs/common';`,
  ],
  ['a barrel stands only', 'libs/workflow/src/store/all.ts', `export { a } from './a.js';`],
])('a broken rule is found: %s, %s', (start, path, text) => {
  const rule = Object.keys(RULES).find((name) => name.startsWith(start)) ?? start;
  expect(broken(rule, parse(path, text))).toEqual([expect.stringContaining(`${path}: ${rule}`)]);
});

function broken(rule: string, file: SourceFile): string[] {
  return (RULES[rule]?.(file) ?? []).map((what) => `${file.path}: ${rule}, but it ${what}`);
}

function importsOf(imports: readonly Import[], pattern: RegExp): string[] {
  return imports.filter(({ from }) => pattern.test(from)).map(({ from }) => `imports ${from}`);
}

function valuesOf(imports: readonly Import[], pattern: RegExp): string[] {
  return importsOf(
    imports.filter(({ typeOnly }) => !typeOnly),
    pattern,
  );
}

function packageOf(path: string): string {
  return path.split('/src/')[0] ?? path;
}

function leavesPackage(path: string, from: string): boolean {
  return from.startsWith('.') && !posix.join(posix.dirname(path), from).startsWith(`${packageOf(path)}/`);
}

function sourcesBelow(directory: string): SourceFile[] {
  return readdirSync(resolve(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .map((name) => `${directory}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.includes('/src/') && !/\/(dist|node_modules)\//.test(path))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map((path) => parse(path, readFileSync(resolve(ROOT, path), 'utf8')));
}

function parse(path: string, text: string): SourceFile {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
  const passesOn = statements.filter(
    (each) => ts.isExportDeclaration(each) && each.moduleSpecifier !== undefined,
  );
  return {
    path,
    text,
    imports: withDynamic(statements.flatMap(toImport), text),
    isBarrel: statements.length > 0 && passesOn.length === statements.length,
  };
}

function withDynamic(imports: readonly Import[], text: string): Import[] {
  const all = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  const dynamic = all.filter((from) => !imports.some((each) => each.from === from));
  return [...imports, ...dynamic.map((from) => ({ from, typeOnly: false }))];
}

function toImport(statement: ts.Statement): Import[] {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
  const { moduleSpecifier } = statement;
  if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return [];
  const typeOnly = ts.isExportDeclaration(statement)
    ? statement.isTypeOnly
    : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return [{ from: moduleSpecifier.text, typeOnly }];
}
