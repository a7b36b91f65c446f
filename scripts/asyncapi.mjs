// Writes the AsyncAPI documents of the services, from the declarations that their code runs by: docs/asyncapi/<service>.yaml.
//
//   npm run asyncapi
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asyncApiFiles } from './asyncapi-files.ts';

const ROOT = resolve(import.meta.dirname, '..');

for (const [path, text] of Object.entries(asyncApiFiles())) {
  mkdirSync(dirname(resolve(ROOT, path)), { recursive: true });
  writeFileSync(resolve(ROOT, path), text);
  process.stdout.write(`${path}\n`);
}
