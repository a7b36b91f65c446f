import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ordersVariables, readConfig, serviceVariables } from '@pawl/config';
import { testKeysText } from '@pawl/testing';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string | number>>;
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: object;
}

const ROOT = resolve(import.meta.dirname, '..');
const text = readFileSync(resolve(ROOT, 'docker-compose.yml'), 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };

const SAMPLE = parseSample(readFileSync(resolve(ROOT, '.env.example'), 'utf8'));
const OWN = {
  ...Object.fromEntries(Object.keys(SAMPLE).map((name) => [name, `${'f3b1c8d25e7a9046'.repeat(2)}`])),
  PAWL_MESSAGE_KEYS: testKeysText,
};

it.each([
  ['orders', ordersVariables],
  ['shipping', serviceVariables],
])('gives %s a configuration that it accepts in production', (name, variables) => {
  const environment = environmentOf(name, { ...OWN, PAYMENT_GATEWAY_URL: 'https://payments.example.com' });
  expect(Object.keys(environment).filter((variable) => !(variable in variables))).toEqual([]);
  expect(readConfig(environment, variables)).toMatchObject({ NODE_ENV: 'production', PORT: 3000 });
});

it.each([
  ['orders', ordersVariables],
  ['shipping', serviceVariables],
])('%s refuses the sample values', (name, variables) => {
  expect(() => readConfig(environmentOf(name, SAMPLE), variables)).toThrow(
    /DATABASE_URL holds a sample password/,
  );
});

it('asks for every value it needs, and names it in the sample', () => {
  const used = [...text.matchAll(/\$\{(\w+)(:[?-])?/g)].map(([, name = '', operator]) => ({
    name,
    operator,
  }));
  expect(used.filter(({ operator }) => operator === undefined)).toEqual([]);
  expect([...new Set(used.map(({ name }) => name))].sort()).toEqual(Object.keys(SAMPLE).sort());
});

it.each(['orders', 'shipping'])('migrates the database of %s before it starts', (name) => {
  const [service, migrate] = [services[name], services[`${name}-migrate`]];
  expect(service?.depends_on?.[`${name}-migrate`]).toEqual({ condition: 'service_completed_successfully' });
  expect(migrate?.command).toEqual(expect.arrayContaining(['migrate']));
  expect(migrate?.environment['DATABASE_URL']).toBe(service?.environment['DATABASE_URL']);
  expect(service?.healthcheck).toBeDefined();
});

it('keeps what Redis holds over a restart and evicts nothing', () => {
  expect(services['redis']?.command?.join(' ')).toContain('--appendonly yes --maxmemory-policy noeviction');
});

function environmentOf(name: string, values: Record<string, string>): Record<string, string> {
  const entries = Object.entries(services[name]?.environment ?? {});
  return Object.fromEntries(entries.map(([variable, value]) => [variable, fillIn(String(value), values)]));
}

function fillIn(value: string, values: Record<string, string>): string {
  return value.replaceAll(/\$\{(\w+):[?-][^}]*\}/g, (_, name: string) => values[name] ?? '');
}

function parseSample(sample: string): Record<string, string> {
  const lines = sample.split('\n').filter((line) => /^\w+=/.test(line));
  return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
}
