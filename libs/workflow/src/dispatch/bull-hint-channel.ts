import type { BullBackend, BullQueue, BullWorker, NewJob, ReceivedJob } from '@pawl/messaging';
import type { EventHint, Hint, HintChannel, HintHandler, RunHint } from './hints.js';

/** Runs that one job names at most: a hop through the queue costs more than a claim. */
const RUNS_PER_JOB_MAX = 8;
const RUN_IDS_ACCEPTED_MAX = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Hints as BullMQ jobs, on Redis or PostgreSQL. A job carries names only, and what it names is looked up in PostgreSQL. */
export class BullHintChannel implements HintChannel {
  private readonly queue: BullQueue;
  private worker: BullWorker | undefined;

  constructor(
    private readonly backend: BullBackend,
    private readonly options: { readonly queueName: string; readonly concurrency: number },
  ) {
    this.queue = backend.queue(options.queueName);
  }

  async send(hints: readonly Hint[]): Promise<void> {
    await this.queue.add([...runJobs(hints.filter(isRunHint)), ...hints.filter(isEventHint).map(eventJob)]);
  }

  consume(handler: HintHandler): void {
    const { queueName, concurrency } = this.options;
    this.worker ??= this.backend.worker(queueName, (job) => handle(job, handler), { concurrency });
  }

  async pause(): Promise<void> {
    await this.worker?.close();
  }

  async close(): Promise<void> {
    await this.backend.close();
  }
}

/** Under load one job names several runs. */
function runJobs(hints: readonly RunHint[]): NewJob[] {
  const jobs: NewJob[] = [];
  for (let n = 0; n < hints.length; n += RUNS_PER_JOB_MAX) {
    const group = hints.slice(n, n + RUNS_PER_JOB_MAX);
    const [first] = group;
    if (first === undefined) continue;
    jobs.push({
      name: 'runs',
      id: `${first.runId}.${first.dispatch}`,
      data: { runIds: group.map(({ runId }) => runId) },
    });
  }
  return jobs;
}

function eventJob({ eventId, workflow, key }: EventHint): NewJob {
  return { name: 'event', id: `event.${eventId}`.replaceAll(':', '_'), data: { workflow, key } };
}

/** Whatever stands in the queue: what does not look like a hint of ours is no hint. */
async function handle({ data }: ReceivedJob, handler: HintHandler): Promise<void> {
  const { runIds, workflow, key } = (data ?? {}) as { runIds?: unknown; workflow?: unknown; key?: unknown };
  if (typeof workflow === 'string' && typeof key === 'string') return handler.event({ workflow, key });
  if (!Array.isArray(runIds) || runIds.length > RUN_IDS_ACCEPTED_MAX) return;
  const ids = runIds.filter((id): id is string => typeof id === 'string' && UUID.test(id));
  if (ids.length > 0) await handler.runs(ids);
}

function isRunHint(hint: Hint): hint is RunHint {
  return 'runId' in hint;
}

function isEventHint(hint: Hint): hint is EventHint {
  return 'eventId' in hint;
}
