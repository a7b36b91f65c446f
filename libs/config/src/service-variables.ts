import { address, oneOf, text, wholeNumber } from './variable.js';
import type { Config, Variables } from './variable.js';

const DAY_MS = 86_400_000;
/** `id=whsec_...` or `id@peer=whsec_...`; what reads it says more about what is wrong. */
const MESSAGE_KEY = String.raw`[\w.-]{1,32}(@[a-z][a-z0-9-]*)?=whsec_[A-Za-z0-9+/]{43,86}={0,2}`;
const MESSAGE_KEYS = new RegExp(String.raw`^\s*${MESSAGE_KEY}([\s,]+${MESSAGE_KEY})*\s*$`);
const backend = address('redis', 'rediss', 'redis-cluster', 'rediss-cluster', 'postgres', 'postgresql');

/** What every service reads. Times are milliseconds. */
export const serviceVariables = {
  NODE_ENV: {
    schema: oneOf(['development', 'test', 'production']).default('development'),
    remedy: 'Set it to production where the service runs for good.',
  },
  PORT: {
    schema: wholeNumber({ least: 0, most: 65_535 }).default(3000),
    remedy: 'Set the port to listen on, for example 3000; 0 takes any that is free.',
  },
  DATABASE_URL: {
    schema: address('postgres', 'postgresql'),
    remedy: "Set the address of the service's own database: postgres://user:password@host:5432/orders",
    secret: true,
  },
  QUEUE_URL: {
    schema: backend,
    remedy:
      "Set where the service's own BullMQ queues live: redis://host:6379 or postgres://user:password@host/queues",
    secret: true,
  },
  BUS_URL: {
    schema: backend,
    remedy:
      'Set where the queues between the services live, the same for all: redis://host:6379, redis-cluster://host:7000?node=other:7000 or postgres://...',
    secret: true,
  },
  BUS_VIA: {
    schema: text(/^[\w-]{1,64}$/, 'is not 1 to 64 letters, digits, - or _').optional(),
    remedy: 'Name the queue that stands between sender and receiver, or unset it: nothing does.',
  },
  PAWL_PREFIX: {
    schema: text(/^[a-z0-9{}-]{1,40}$/, 'is not 1 to 40 lower case letters, digits, - or {}').default('pawl'),
    remedy: 'Set what keeps your queues apart from others on the same server, the same for all services.',
  },
  PAWL_ADMIN_TOKEN: {
    schema: text(/^[\x21-\x7e]{32,256}$/, 'is not 32 to 256 visible ASCII characters').optional(),
    remedy: 'Set a random token (openssl rand -hex 32), or unset it: the admin endpoint is off then.',
    secret: true,
  },
  PAWL_MESSAGE_KEYS: {
    schema: text(MESSAGE_KEYS, 'is not a list of id=whsec_<base64 of 32 to 64 bytes>'),
    remedy:
      'Set what the services sign their messages with, the same for all: echo "2026-11=whsec_$(openssl rand -base64 32)". The first key signs, all verify.',
    secret: true,
  },
  PAWL_LEASE_MS: {
    schema: wholeNumber({ least: 1000, most: DAY_MS }).default(30_000),
    remedy: 'Set how long a worker may hold a run without renewing, default 30000.',
  },
  PAWL_RESCUE_EVERY_MS: {
    schema: wholeNumber({ least: 10, most: DAY_MS }).default(1000),
    remedy: 'Set the pause between two looks for runs whose hint was lost, default 1000.',
  },
  PAWL_CONCURRENCY: {
    schema: wholeNumber({ least: 1, most: 1000 }).default(16),
    remedy: 'Set how many runs a process works on at once, default 16.',
  },
  PAWL_DRAIN_MS: {
    schema: wholeNumber({ least: 0, most: 600_000 }).default(10_000),
    remedy:
      'Set how long a stopping process waits for steps that run, default 10000; less than the grace period.',
  },
  PAWL_MIGRATE: {
    schema: oneOf(['auto', 'never']).optional(),
    remedy:
      'Unset it: a service migrates at boot outside production. In production run `pawl migrate` before.',
    inProduction: (value: string) => (value === 'auto' ? 'is auto in production' : undefined),
  },
  PAWL_EMBEDDED: {
    schema: oneOf(['true', 'false'])
      .transform((value) => value === 'true')
      .default(false),
    remedy:
      'Unset it, and use servers that outlive the service: the demo sets it for its throw-away servers.',
    inProduction: (value: string) => (value === 'true' ? 'is set in production' : undefined),
  },
} satisfies Variables;

/** What the orders service reads besides. */
export const ordersVariables = {
  ...serviceVariables,
  PAYMENT_GATEWAY_URL: {
    schema: address('http', 'https'),
    remedy: 'Set the address of the payment gateway: https://payments.example.com',
    secret: true,
  },
  SUBMITTED_TIMEOUT: {
    schema: text(/^[1-9]\d{0,5}(ms|s|m|h|d)$/, 'is not a duration above zero').default('30m'),
    remedy: 'Set after what time an order that was never accepted is cancelled: 30m, 12h, 2d.',
  },
} satisfies Variables;

export type ServiceConfig = Config<typeof serviceVariables>;
export type OrdersConfig = Config<typeof ordersVariables>;

/** Whether a service brings its database up to date at boot: never in production, where `pawl migrate` is a deploy step. */
export function migratesAtBoot({ NODE_ENV, PAWL_MIGRATE }: ServiceConfig): boolean {
  return NODE_ENV !== 'production' && PAWL_MIGRATE !== 'never';
}
