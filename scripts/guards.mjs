// Proves that the guards are guarded: applies each patch in test/guards/, which removes one of them, to a copy of this
// repository, runs the test that the patch names, and fails if that test passes. First it runs all those tests without
// any patch, for a test that fails anyway notices nothing.
//
//   npm run guards                          all of them
//   npm run guards -- --only fencing        those whose file names contain the word
//   npm run guards -- --refresh             rewrites the patches' context and line numbers, and runs nothing
//
// A patch begins with what it removes and the test that must notice:
//
//   Guard: the closing statement checks the fencing token
//   Test: test/engine/a-worker-has-lost-its-lease.spec.ts
//
// One line of context has to match, wherever it stands. Should a patch not apply any more, make its change by hand,
// write `git diff -U1` below its two headers, and take the change back.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const PATCHES = join(ROOT, 'test/guards');
const WORKSPACES = ['@pawl', '@pawl-apps'];
const JEST = [
  '--disable-warning=ExperimentalWarning',
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
];

/** What a removed guard can do to a test: it may also hang. */
const RUN_MS_MAX = 600_000;

const { values: options, positionals } = parseArgs({
  options: { only: { type: 'string' }, refresh: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const directory = mkdtempSync(join(tmpdir(), 'pawl-guards-'));
const copy = join(directory, 'b');
try {
  process.exitCode = main(options.only ?? positionals[0] ?? '') ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function main(word) {
  copyRepository();
  const guards = readdirSync(PATCHES)
    .filter((file) => file.endsWith('.patch') && file.includes(word))
    .map(readGuard);
  if (guards.length === 0) return say(`No patch in test/guards is named like "${word}".`);
  if (options.refresh) return guards.map(refresh).every(Boolean);
  const tests = [...new Set(guards.map(({ test }) => test))];
  const clean = run(tests);
  if (clean.failed > 0 || clean.broken)
    return say(`Without any patch: ${clean.names.join(', ') || 'the tests can not run'}`);
  say(`${clean.total} tests in ${tests.length} files pass with every guard in place`);
  const width = Math.max(...guards.map(({ name }) => name.length));
  const verdicts = guards.map((guard) => {
    const verdict = verdictOn(guard);
    say(`${verdict.padEnd(13)} ${guard.name.padEnd(width)}  ${guard.guard}`);
    return verdict;
  });
  const noticed = verdicts.filter((verdict) => verdict === 'noticed').length;
  say(`${noticed} of ${guards.length} removed guards were noticed`);
  return noticed === guards.length;
}

function verdictOn({ patch, test, files }) {
  const putBack = snapshot(files);
  if (!applies(patch)) return 'DOES NOT FIT';
  const { failed, broken } = run([test]);
  putBack();
  if (broken) return 'BROKEN';
  return failed > 0 ? 'noticed' : 'NOT NOTICED';
}

function readGuard(file) {
  const patch = join(PATCHES, file);
  const text = readFileSync(patch, 'utf8');
  const header = (name) => {
    const found = new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1];
    if (!found) throw new Error(`${patch} lacks its line "${name}: ..."`);
    return found.trim();
  };
  const files = [...text.matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, path]) => path);
  return { name: file.replace('.patch', ''), patch, guard: header('Guard'), test: header('Test'), files };
}

function refresh({ name, patch, guard, test, files }) {
  const putBack = snapshot(files);
  if (!applies(patch)) return say(`${name}: does not fit any more; make its change by hand`);
  const diffs = files.map((file) => {
    const args = ['diff', '--no-index', '--no-color', '--no-prefix', '-U1', `a/${file}`, `b/${file}`];
    const { stdout } = spawnSync('git', args, { cwd: directory, encoding: 'utf8' });
    return stdout.slice(stdout.indexOf('--- '));
  });
  putBack();
  writeFileSync(patch, `Guard: ${guard}\nTest: ${test}\n\n${diffs.join('')}`);
  return true;
}

/** Answers how to undo a patch; to apply it in reverse might put a line elsewhere, so little context has it. */
function snapshot(files) {
  const before = files.map((file) => [join(copy, file), readFileSync(join(copy, file))]);
  return () => before.forEach(([path, content]) => writeFileSync(path, content));
}

function applies(patch) {
  return spawnSync('git', ['apply', '-C1', patch], { cwd: copy }).status === 0;
}

function run(tests) {
  const results = join(directory, 'results.json');
  rmSync(results, { force: true });
  const args = [...JEST, '--forceExit', '--json', `--outputFile=${results}`, '--runTestsByPath', ...tests];
  const { stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: RUN_MS_MAX });
  try {
    const { numFailedTests, numRuntimeErrorTestSuites, numTotalTests, testResults } = JSON.parse(
      readFileSync(results, 'utf8'),
    );
    const broken = numRuntimeErrorTestSuites > 0 || numTotalTests === 0;
    if (broken) process.stderr.write(stderr);
    const names = testResults.flatMap(({ assertionResults }) => assertionResults).filter(isFailed);
    return {
      failed: numFailedTests,
      total: numTotalTests,
      broken,
      names: names.map(({ fullName }) => fullName),
    };
  } catch {
    process.stderr.write(stderr);
    return { failed: 0, total: 0, broken: true, names: [] };
  }
}

function isFailed({ status }) {
  return status === 'failed';
}

/** Its files, and node_modules by links: to the packages there, and to the copied workspaces instead of the original ones. */
function copyRepository() {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const existing = files.split('\0').filter((file) => file && existsSync(join(ROOT, file)));
  for (const file of existing) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  mkdirSync(join(copy, 'node_modules'));
  // What was compiled from the original files is not the copy's.
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((other) => other !== '.cache')) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(copy, 'node_modules', name)];
    if (WORKSPACES.includes(name)) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
  symlinkSync(ROOT, join(directory, 'a'));
}

/** Answers false, for it is how failures end. */
function say(line) {
  process.stdout.write(`${line}\n`);
  return false;
}
