import type { Processor, Queue, Worker, WorkerOptions } from 'bullmq';

/** What differs between BullMQ's two servers. Nothing here heals: {@link BullQueue} and {@link BullWorker} do. */
export interface BullDriver {
  readonly kind: 'redis' | 'postgres';
  /** Resolves when the server has answered and is ready for queues and workers; rejects in a bounded time otherwise. */
  ping(): Promise<void>;
  /** To be called after a successful ping only: BullMQ keeps a failed start for ever. */
  newQueue(name: string): Queue;
  /** To be called after a successful ping only. */
  newWorker(name: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>): OpenWorker;
  close(): Promise<void>;
}

export interface OpenWorker {
  readonly worker: Worker;
  /** Ends its connections without waiting for anything. */
  readonly abandon: () => Promise<void>;
}
