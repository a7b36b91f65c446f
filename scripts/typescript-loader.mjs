// Runs TypeScript with decorator metadata under plain Node, from the libraries' sources:
// node --import ./scripts/typescript-loader.mjs file.ts
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { compileTypeScript } from './compile-typescript.mjs';

if (isMainThread) {
  register(import.meta.url);
  process.setSourceMapsEnabled(true);
}

export async function resolve(specifier, context, next) {
  const fromSource = { ...context, conditions: ['pawl-source', ...context.conditions] };
  const ours = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts');
  return next(ours ? `${specifier.slice(0, -3)}.ts` : specifier, fromSource);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = await compileTypeScript(filename, readFileSync(filename, 'utf8'));
  return { format: 'module', source, shortCircuit: true };
}
