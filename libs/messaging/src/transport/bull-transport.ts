import { v7 } from 'uuid';
import type { BullBackend } from './bull-backend.js';
import type { BullQueue, NewJob } from './bull-queue.js';
import type { Delivery, Receive, Subscription, Transport } from './transport.js';

/** What a job of a message queue holds. Somebody who stands between sender and receiver (`via`) adds it to the queue of `to`. */
export interface MessageJob {
  readonly to: string;
  readonly deliveries: readonly Delivery[];
}

export interface BullTransportOptions {
  /** Name of a queue that stands between sender and receiver: a bridge to another server, or a test's courier. */
  readonly via?: string;
  /** Jobs at a time. Default 8. */
  readonly concurrency?: number;
}

/** Deliveries per job: a job costs more than what it carries. */
const DELIVERIES_PER_JOB_MAX = 50;
/** Characters of JSON per job, beyond which a new one begins. */
const JOB_LENGTH_MAX = 512 * 1024;
const JOBS_PER_ADD_MAX = 50;

/** Name of the queue in which a service finds its messages. */
export function messageQueue(service: string): string {
  return `messages.${service}`;
}

/** Deliveries as BullMQ jobs, several in one. The backend may be shared; closing the transport leaves it open. */
export class BullTransport implements Transport {
  private readonly queues = new Map<string, BullQueue>();
  private readonly subscriptions: Subscription[] = [];

  constructor(
    private readonly backend: BullBackend,
    private readonly options: BullTransportOptions = {},
  ) {}

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    const queue = this.queueTo(destination);
    const jobs = jobsOf(destination, deliveries);
    while (jobs.length > 0) await queue.add(jobs.splice(0, JOBS_PER_ADD_MAX));
  }

  /** Reckons full jobs: it answers too much rather than too little. */
  async backlog(destination: string): Promise<number> {
    return (await this.queueTo(destination).waiting()) * DELIVERIES_PER_JOB_MAX;
  }

  async consume(service: string, receive: Receive): Promise<Subscription> {
    const { concurrency = 8 } = this.options;
    const worker = this.backend.worker(
      messageQueue(service),
      ({ data, repeated }) => receive(deliveriesOf(data), repeated),
      { concurrency },
    );
    this.subscriptions.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  private queueTo(destination: string): BullQueue {
    const name = this.options.via ?? messageQueue(destination);
    let queue = this.queues.get(name);
    if (queue === undefined) this.queues.set(name, (queue = this.backend.queue(name)));
    return queue;
  }
}

function jobsOf(to: string, deliveries: readonly Delivery[]): NewJob[] {
  const jobs: NewJob[] = [];
  let batch: Delivery[] = [];
  let length = 0;
  const finish = (): void => {
    // A new id each time: an id that BullMQ still knows would swallow the job.
    if (batch.length > 0)
      jobs.push({ name: 'deliveries', id: v7(), data: { to, deliveries: batch } satisfies MessageJob });
    batch = [];
    length = 0;
  };
  for (const delivery of deliveries) {
    const size = JSON.stringify(delivery).length;
    if (batch.length >= DELIVERIES_PER_JOB_MAX || length + size > JOB_LENGTH_MAX) finish();
    batch.push(delivery);
    length += size;
  }
  finish();
  return jobs;
}

/** A ghost job has no deliveries: it is handed on as one piece of garbage, so that somebody counts it. */
function deliveriesOf(data: unknown): readonly unknown[] {
  const { deliveries } = (data ?? {}) as { deliveries?: unknown };
  return Array.isArray(deliveries) && deliveries.length <= 10 * DELIVERIES_PER_JOB_MAX ? deliveries : [data];
}
