// Adds to package-lock.json the optional platform packages that the registry in use did not serve (some serve no darwin
// and win32 binaries): without them `npm ci` refuses the lockfile on those platforms. Run after `npm install` has
// changed the lockfile; test/lockfile.spec.ts says when it was forgotten.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = {
  arm: 'arm',
  arm64: 'arm64',
  armhf: 'arm',
  armv7: 'arm',
  ia32: 'ia32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
};

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([where, entry]) => missingOf(where, entry));
for (const [path, entry] of missing) lock.packages[path] = entry;
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${missing.map(([path]) => `added ${path}\n`).join('')}${missing.length} added\n`);

function missingOf(where, entry) {
  return Object.entries(entry.optionalDependencies ?? {})
    .map(([name, range]) => [`node_modules/${name}`, platformEntry(name, range, entry)])
    .filter(([path]) => !lock.packages[path] && !lock.packages[`${where}/${path}`]);
}

function platformEntry(name, range, { dev }) {
  const words = name.replace('windows', 'win32').split(/[/-]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.map((word) => PROCESSORS[word]).find(Boolean);
  const libc = words.map((word) => /^(musl|gnu|glibc)/.exec(word)?.[0].replace('gnu', 'glibc')).find(Boolean);
  return {
    version: range.replace(/^[\^~]/, ''),
    ...(cpu && { cpu: [cpu] }),
    ...(dev && { dev }),
    ...(libc && { libc: [libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}
