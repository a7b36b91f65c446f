import { join, resolve } from 'node:path';
import ts from 'typescript';
import { type CodeFile, type PageCode, ROOT } from './page-code.js';

/** What the compiler says of the pages' code under the repository's options, `docs/sagas.md:57: ...`. Nothing is written. */
export function compileErrors(pages: readonly PageCode[]): string[] {
  const sources = new Map(
    pages.flatMap(({ page, directory, files }) =>
      files.map((file) => [join(directory, file.name), { page, file }] as const),
    ),
  );
  const options = repositoryOptions();
  const program = ts.createProgram([...sources.keys()], options, hostWith(sources, options));
  return [...sources].flatMap(([path, { page, file }]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map((diagnostic) => told(diagnostic, page, file));
  });
}

function repositoryOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
}

/** Sees the pages' files where they would be extracted to, beside those of the disk. */
function hostWith(
  sources: ReadonlyMap<string, { readonly file: CodeFile }>,
  options: ts.CompilerOptions,
): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const directories = new Set([...sources.keys()].map((path) => resolve(path, '..')));
  return {
    ...host,
    fileExists: (path) => sources.has(path) || host.fileExists(path),
    directoryExists: (path) => directories.has(path) || host.directoryExists?.(path) === true,
    readFile: (path) => sources.get(path)?.file.text ?? host.readFile(path),
    getSourceFile: (path, version, onError) => {
      const text = sources.get(path)?.file.text;
      if (text === undefined) return host.getSourceFile(path, version, onError);
      return Object.assign(ts.createSourceFile(path, text, version, true), {
        impliedNodeFormat: ts.ModuleKind.ESNext,
      });
    },
  };
}

function told({ file, start, messageText }: ts.Diagnostic, page: string, { pageLines }: CodeFile): string {
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
  return `${page}:${pageLines[line]}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}
