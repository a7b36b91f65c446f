import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RefusedToBootError } from '@pawl/core';
import { readConfig } from './read-config.js';
import { redactedConfig } from './redacted-config.js';
import { migratesAtBoot, ordersVariables, serviceVariables } from './service-variables.js';

const TOKEN = 'f3b1c8d25e7a9046f3b1c8d25e7a9046';
const KEY = btoa('Vn4t2 and 27 other bytes of it.!');
const good = {
  DATABASE_URL: 'postgres://orders:Zk3v9@db:5432/orders',
  QUEUE_URL: 'redis://:Qw8x2@redis:6379',
  BUS_URL: 'postgresql://bus:Hm7r4@db/bus',
  PAWL_MESSAGE_KEYS: `2026-11=whsec_${KEY}`,
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...good, ...env }, serviceVariables);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return (error as RefusedToBootError).problems;
  }
}

it('fills in the defaults', () => {
  const config = readConfig({ ...good, PAYMENT_GATEWAY_URL: 'http://localhost:4000' }, ordersVariables);
  expect(config).toMatchObject({
    NODE_ENV: 'development',
    PORT: 3000,
    PAWL_PREFIX: 'pawl',
    PAWL_LEASE_MS: 30_000,
    PAWL_RESCUE_EVERY_MS: 1000,
    PAWL_CONCURRENCY: 16,
    PAWL_DRAIN_MS: 10_000,
    PAWL_EMBEDDED: false,
    SUBMITTED_TIMEOUT: '30m',
  });
  expect([config.BUS_VIA, config.PAWL_ADMIN_TOKEN, config.PAWL_MIGRATE]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('names every problem at once, with its variable and a remedy', () => {
  const problems = problemsOf({
    DATABASE_URL: '',
    QUEUE_URL: 'mysql://db',
    PORT: 'http',
    PAWL_LEASE_MS: '10',
  });
  expect(problems).toEqual([
    expect.stringMatching(/^PORT is not a whole number\. Set the port/),
    expect.stringMatching(/^DATABASE_URL is missing\. Set the address/),
    expect.stringMatching(/^QUEUE_URL is not an address that begins with redis:/),
    expect.stringMatching(/^PAWL_LEASE_MS is not within 1000 to/),
  ]);
});

it.each([
  ['NODE_ENV', 'prod'],
  ['PORT', '65536'],
  ['BUS_URL', 'amqp://bus'],
  ['BUS_VIA', 'a b'],
  ['PAWL_ADMIN_TOKEN', 'short'],
  ['PAWL_CONCURRENCY', '0'],
  ['PAWL_MESSAGE_KEYS', 'whsec_abc'],
  ['PAWL_MESSAGE_KEYS', `2026-11=whsec_${KEY} 2026-12=${KEY}`],
  ['PAWL_MIGRATE', 'yes'],
  ['PAWL_EMBEDDED', 'maybe'],
])('refuses %s=%s', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(name)]);
});

it('takes the address of a Redis Cluster', () => {
  expect(problemsOf({ BUS_URL: 'redis-cluster://:Qw8x2@one:7000?node=two:7000' })).toEqual([]);
});

it('finds misspelt names, but lets the test kit have its own outside production', () => {
  expect(problemsOf({ PAWL_LEASE: '1000' })).toEqual([expect.stringContaining('PAWL_LEASE is no variable')]);
  expect(problemsOf({ PAWL_CRASH_POINT: 'x', PAWL_TEST_POSTGRES_URL: 'y' })).toEqual([]);
  expect(problemsOf({ NODE_ENV: 'production', PAWL_CRASH_POINT: 'x' })).toHaveLength(1);
});

it('takes several keys, also for one peer only, however they are set apart', () => {
  const keys = `2026-11=whsec_${KEY}, 2026-05=whsec_${KEY}\n2026-05@billing=whsec_${KEY}`;
  expect(problemsOf({ PAWL_MESSAGE_KEYS: keys })).toEqual([]);
});

it.each(['0m', '0', '00s', '-1s', '1.5h', '1000000d', '5 m'])('refuses SUBMITTED_TIMEOUT=%s', (value) => {
  const env = { ...good, PAYMENT_GATEWAY_URL: 'http://localhost:4000', SUBMITTED_TIMEOUT: value };
  expect(() => readConfig(env, ordersVariables)).toThrow(/SUBMITTED_TIMEOUT is not a duration above zero/);
});

it.each(['postgres://u:50%zz@h/db', 'postgres://u%:x@h/db', 'postgres://u:x@h/%ff'])(
  'asks for percent-encoding where %s can not be decoded',
  (value) => {
    for (const NODE_ENV of ['development', 'production']) {
      expect(problemsOf({ DATABASE_URL: value, NODE_ENV })).toEqual([
        expect.stringMatching(/^DATABASE_URL .*percent-encode.*%25/),
      ]);
    }
  },
);

it('lets an address without a password through in production', () => {
  const DATABASE_URL = 'postgres://orders@db/orders?sslcert=/run/orders.pem';
  expect(problemsOf({ DATABASE_URL, NODE_ENV: 'production' })).toEqual([]);
});

it.each([
  ['DATABASE_URL', 'postgres://orders:pawl@db/orders'],
  ['DATABASE_URL', 'postgres://orders@db/orders?password=pawl'],
  ['BUS_URL', 'redis://redis:6379/0?password=change-me'],
  ['QUEUE_URL', 'redis://:change-me@redis'],
  ['PAWL_ADMIN_TOKEN', 'change-me-change-me-change-me-change-me'],
  ['PAWL_EMBEDDED', 'true'],
  ['PAWL_MIGRATE', 'auto'],
])('refuses %s=%s in production only', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([]);
  expect(problemsOf({ [name]: value, NODE_ENV: 'production' })).toEqual([expect.stringContaining(name)]);
});

it('migrates at boot outside production, unless told otherwise', () => {
  const migrates = (env: Record<string, string>) =>
    migratesAtBoot(readConfig({ ...good, ...env }, serviceVariables));
  expect(migrates({})).toBe(true);
  expect(migrates({ PAWL_MIGRATE: 'never' })).toBe(false);
  expect(migrates({ NODE_ENV: 'production' })).toBe(false);
});

describe('a value in a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pawl-config-'));
  const file = join(directory, 'token');
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is read, without its line end', () => {
    writeFileSync(file, `${TOKEN}\n`);
    expect(readConfig({ ...good, PAWL_ADMIN_TOKEN_FILE: file }, serviceVariables).PAWL_ADMIN_TOKEN).toBe(
      TOKEN,
    );
  });

  it('must exist, and be the only one', () => {
    expect(problemsOf({ PAWL_ADMIN_TOKEN_FILE: `${file}.none` })).toEqual([
      expect.stringContaining('ENOENT'),
    ]);
    expect(problemsOf({ PAWL_ADMIN_TOKEN_FILE: file, PAWL_ADMIN_TOKEN: TOKEN })).toEqual([
      expect.stringContaining('both set'),
    ]);
  });
});

it('shows no secret, neither in problems nor in the redacted dump', () => {
  const config = readConfig({ ...good, PAWL_ADMIN_TOKEN: TOKEN }, serviceVariables);
  const dump = redactedConfig(config, serviceVariables);
  expect(dump).toMatchObject({
    DATABASE_URL: 'postgres://orders:***@db:5432/orders',
    PAWL_ADMIN_TOKEN: '***',
    PAWL_MESSAGE_KEYS: '***',
  });
  const problems = problemsOf({ DATABASE_URL: 'mysql://orders:Zk3v9@db/orders', PAWL_ADMIN_TOKEN: 'Zk3v9' });
  expect(problems).toHaveLength(2);
  expect(JSON.stringify([dump, problems])).not.toMatch(/Zk3v9|Qw8x2|Hm7r4|f3b1c8/);
});
