import { randomBytes } from 'node:crypto';
import { basename, extname, join } from 'node:path';
import type { PawlError } from '@pawl/core';
import type { CourierOptions } from './courier.js';
import { DemoProcess } from './demo-process.js';
import type { DemoProcessOptions } from './demo-process.js';
import type { GatewayOrder } from './gateway.js';
import type { GatewayPlan } from './gateway-plan.js';
import type { HintThief } from './hint-thief.js';
import type { ShufflerCounts } from './shuffler.js';

export interface StageOptions {
  /** Takes the gateway's file and the logs. */
  readonly directory: string;
  readonly urls: StageUrls;
  /** Keeps the demo's queues apart from whatever else is on a server. */
  readonly prefix: string;
  readonly rescueEveryMs: number | undefined;
  /** With it, a courier that repeats and shuffles stands between the services; else messages go straight. */
  readonly courierSeed: string | undefined;
  /** Takes every hint away; undefined: they arrive. */
  readonly thief: HintThief | undefined;
}

/** Addresses of the services' databases, and of the server that holds the queues. */
export interface StageUrls {
  readonly orders: string;
  readonly shipping: string;
  readonly queues: string;
}

/** Short, so that the work of a killed process is taken over soon; the default of a service is 30 s. */
export const LEASE_MS = 3000;

/** Nobody wants to wait long after Ctrl-C. */
const DRAIN_MS = 2000;

/** The queue between the services, when a courier stands there. */
const VIA = 'courier';

/** The processes of a demo: the payment gateway, the courier between the services, and the two services. */
export class Stage {
  readonly gateway: DemoProcess;
  readonly courier: DemoProcess | undefined;
  readonly orders: DemoProcess;
  readonly shipping: DemoProcess;
  readonly adminToken = randomBytes(32).toString('base64url');
  /** What the services sign their messages with. */
  private readonly messageKeys = `demo=whsec_${randomBytes(32).toString('base64')}`;
  readonly gatewayFile: string;
  /** The directory is to stay: somebody will want to read the logs. */
  keepsFiles = false;
  /** What the courier has done so far. */
  courierCounts: ShufflerCounts = { taken: {}, pending: {}, twice: 0, thrice: 0, overtaken: 0 };
  /** Called when the courier has told more. */
  onCourierReport: () => void = () => undefined;
  /** Rejects when a process ends that nobody has killed. */
  readonly failure: Promise<never>;
  private fail: (error: PawlError) => void = () => undefined;

  constructor(private readonly options: StageOptions) {
    this.gatewayFile = join(options.directory, 'gateway-calls.jsonl');
    this.failure = new Promise((_, reject) => (this.fail = reject));
    this.failure.catch(() => undefined); // whoever awaits it hears of it
    this.gateway = this.process('gateway', { entry: ownEntry('gateway'), args: [this.gatewayFile] });
    this.courier = this.makeCourier();
    this.orders = this.process('orders', {
      entry: serviceEntry('orders'),
      env: () => this.ordersEnvironment(),
    });
    this.shipping = this.process('shipping', {
      entry: serviceEntry('shipping'),
      env: () => this.environment(options.urls.shipping),
    });
  }

  get directory(): string {
    return this.options.directory;
  }

  /** Hints that were taken away so far; undefined where nobody takes any. */
  get hintsStolen(): number | undefined {
    return this.options.thief?.stolen;
  }

  get urls(): StageUrls {
    return this.options.urls;
  }

  /** Starts all of them; both services migrate their databases as they do. */
  async open(): Promise<void> {
    await Promise.all([this.gateway.start(), this.courier?.start()]);
    await Promise.all([this.orders.start(), this.shipping.start()]);
  }

  /** Ends the services in good order, then what they lean on. */
  async close(): Promise<void> {
    await Promise.all([this.orders.stop(), this.shipping.stop()]);
    await Promise.all([this.gateway.stop(), this.courier?.stop()]);
  }

  /** Tells the gateway which calls to treat badly. */
  misbehave(plan: GatewayPlan): void {
    this.gateway.send({ plan } satisfies GatewayOrder);
  }

  /** Where a process writes to. */
  logFile(name: string): string {
    return join(this.options.directory, `${name}.log`);
  }

  private makeCourier(): DemoProcess | undefined {
    const { urls, prefix, courierSeed } = this.options;
    if (courierSeed === undefined) return undefined;
    const options: CourierOptions = { busUrl: urls.queues, queue: VIA, prefix, seed: courierSeed };
    return this.process('courier', {
      entry: ownEntry('courier'),
      args: [JSON.stringify(options)],
      onMessage: (counts) => {
        this.courierCounts = counts as ShufflerCounts;
        this.onCourierReport();
      },
    });
  }

  private process(
    name: string,
    options: Omit<DemoProcessOptions, 'name' | 'logFile' | 'onUnexpectedEnd'>,
  ): DemoProcess {
    const onUnexpectedEnd = (error: PawlError): void => this.fail(error);
    return new DemoProcess({ ...options, name, logFile: this.logFile(name), onUnexpectedEnd });
  }

  private ordersEnvironment(): Record<string, string> {
    return { ...this.environment(this.options.urls.orders), PAYMENT_GATEWAY_URL: this.gateway.url };
  }

  private environment(database: string): Record<string, string> {
    const { urls, prefix, rescueEveryMs } = this.options;
    return {
      NODE_ENV: 'development',
      NO_COLOR: '1', // the output goes to a file
      PORT: '0',
      DATABASE_URL: database,
      QUEUE_URL: urls.queues,
      BUS_URL: urls.queues,
      ...(this.courier ? { BUS_VIA: VIA } : {}),
      PAWL_PREFIX: prefix,
      PAWL_ADMIN_TOKEN: this.adminToken,
      PAWL_MESSAGE_KEYS: this.messageKeys,
      PAWL_LEASE_MS: String(LEASE_MS),
      PAWL_DRAIN_MS: String(DRAIN_MS),
      PAWL_EMBEDDED: 'true',
      ...(rescueEveryMs === undefined ? {} : { PAWL_RESCUE_EVERY_MS: String(rescueEveryMs) }),
    };
  }
}

/** Sources run from sources (tests), built code runs built code: the services' files stand in folders named like ours. */
const EXTENSION = extname(import.meta.filename);
const FOLDER = basename(import.meta.dirname);

function ownEntry(name: string): string {
  return join(import.meta.dirname, `${name}${EXTENSION}`);
}

function serviceEntry(name: string): string {
  return join(import.meta.dirname, '../..', name, FOLDER, `main${EXTENSION}`);
}
