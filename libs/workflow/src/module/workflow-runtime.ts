import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Duty, DutyLoop, invariant, Slots, sqlErrorKind, type Transactions } from '@pawl/core';
import { ExchangeClient, type MessagingRuntime, openBullBackend } from '@pawl/messaging';
import { fingerprint } from '../definition/fingerprint.js';
import { BullHintChannel } from '../dispatch/bull-hint-channel.js';
import { HintSender } from '../dispatch/hint-sender.js';
import type { HintChannel } from '../dispatch/hints.js';
import { ClaimLane } from '../engine/activate/claim-lane.js';
import { WorkflowControl } from '../engine/control/control.js';
import { ControlOffice } from '../engine/control/control-office.js';
import type { Definitions } from '../engine/definitions.js';
import { WorkflowEventRedrive } from '../engine/receive/event-redrive.js';
import { ForkOffice } from '../engine/control/fork-office.js';
import { LeaseKeeper } from '../engine/activate/lease-keeper.js';
import { Receiver } from '../engine/receive/receiver.js';
import { RunAdvancer } from '../engine/receive/run-advancer.js';
import { StepCloser } from '../engine/attempt/step-closer.js';
import { Worker } from '../engine/activate/worker.js';
import { wireAttempts } from '../engine/attempt/wire-attempts.js';
import { WorkflowClient } from '../engine/client/workflow-client.js';
import { WorkflowConsumer } from '../engine/receive/workflow-consumer.js';
import { WorkflowVersions } from '../engine/versions/workflow-versions.js';
import { ParkedDeadlineDuty } from '../maintenance/parked-deadline-duty.js';
import { QuarantineDuty } from '../maintenance/quarantine-duty.js';
import { Rescuer } from '../maintenance/rescuer.js';
import { TimerDuty } from '../maintenance/timer-duty.js';
import { UndecidedDuty } from '../maintenance/undecided-duty.js';
import { keepDefinitions } from '../store/definitions.js';
import { type ResolvedOptions, resolveOptions, type WorkflowOptions } from './workflow-options.js';

const POLL_EVERY_MS = 1_000;
const SELDOM_EVERY_MS = 5_000;
const HINT_JOBS_AT_ONCE = 4;
/** Rounds of a drain: more of them mean that work makes ever more work. */
const TICKS_MAX = 10_000;
/** Runs that a round takes at most at a time. */
const TAKEN_MAX = 32;
/** How long a stop waits for each of the last things to be said. */
const LAST_WORDS_MS = 2_000;

/** The engine of one process, wired. The Nest module makes one; without Nest it is made by hand. */
export class WorkflowRuntime {
  readonly client: WorkflowClient;
  readonly control: WorkflowControl;
  readonly versions: WorkflowVersions;
  readonly worker: Worker;
  readonly receiver: Receiver;
  readonly consumer: WorkflowConsumer;
  readonly eventRedrive: WorkflowEventRedrive;
  private readonly options: ResolvedOptions;
  private readonly logger = new Logger('Workflows');
  private readonly transactions: Transactions;
  private readonly channel: HintChannel;
  private readonly hints: HintSender;
  private readonly leases: LeaseKeeper;
  private readonly duties: readonly Duty[];
  private loops: readonly DutyLoop[] = [];

  /** @throws RefusedToBootError with every problem of the options */
  constructor(
    private readonly definitions: Definitions,
    messaging: Pick<MessagingRuntime, 'transactions' | 'outbox'>,
    options: WorkflowOptions,
  ) {
    this.options = resolveOptions(options);
    const { leaseMs, concurrency, claimsMax, awaitedMax, drainMs, rescueEveryMs } = this.options;
    const { transactions, outbox } = messaging;
    this.transactions = transactions;
    this.channel = options.hintChannel ?? openHintChannel(this.options);
    const hints = (this.hints = new HintSender(this.channel, (error) =>
      this.warn('A hint was not sent; the rescuer sees to it', error),
    ));
    const advancer = new RunAdvancer(definitions, outbox, hints, { awaitedMax });
    this.receiver = new Receiver(advancer);
    this.consumer = new WorkflowConsumer(definitions, this.receiver);
    this.eventRedrive = new WorkflowEventRedrive(this.receiver);
    this.client = new WorkflowClient(transactions, definitions, advancer, this.receiver, hints);
    const orders = new ControlOffice(transactions, definitions, advancer, hints);
    const forks = new ForkOffice(transactions, definitions, hints);
    this.control = new WorkflowControl({ orders, forks }, definitions);
    this.versions = new WorkflowVersions(transactions, definitions, advancer, hints);
    this.leases = new LeaseKeeper(transactions, leaseMs, (_, error) =>
      this.warn('Leases could not be renewed', error),
    );
    const closer = new StepCloser(advancer, outbox);
    const claim = {
      leaseMs,
      claimsMax,
      // Declared while the application boots, after this was made.
      get known() {
        return definitions.known;
      },
    };
    this.worker = new Worker({
      transactions,
      definitions,
      lane: new ClaimLane(transactions, claim),
      slots: new Slots(concurrency),
      leases: this.leases,
      hints,
      activation: {
        transactions,
        attempts: wireAttempts({
          transactions,
          outbox,
          closer,
          exchange: new ExchangeClient(options.exchange),
          leaseMs,
          isStopping: () => this.worker.isStopping,
          random: Math.random,
        }),
        closer,
        leaseMs,
      },
      claim,
      drainMs,
      onError: (what, error) => this.warn(`Error while ${what}`, error),
    });
    this.duties = [
      new Rescuer(this.worker, rescueEveryMs),
      new TimerDuty(transactions, definitions, this.receiver, POLL_EVERY_MS),
      new UndecidedDuty(transactions, definitions, this.receiver, POLL_EVERY_MS),
      new ParkedDeadlineDuty(transactions, SELDOM_EVERY_MS),
      new QuarantineDuty(transactions, claimsMax, SELDOM_EVERY_MS),
    ];
  }

  /**
   * Keeps what each version means. To be called before anything is decided.
   * @throws RefusedToBootError `definition_changed`
   */
  async keepDefinitions(): Promise<void> {
    const records = this.definitions.all.map((definition) => {
      const { hash, graph } = fingerprint(definition);
      return { workflow: definition.workflow, version: definition.version, fingerprint: hash, graph };
    });
    await this.transactions.run((tx) => keepDefinitions(tx, records));
  }

  /** Starts taking hints and doing maintenance, unless this process does not work. */
  start(): void {
    if (!this.options.work) return;
    this.leases.start();
    this.loops = this.duties.map(
      (duty) => new DutyLoop(duty, ({ name }, error) => this.warn(`The duty ${name} could not work`, error)),
    );
    for (const loop of this.loops) loop.start();
    this.channel.consume({
      runs: (runIds) => this.worker.take(runIds),
      event: async (address) => {
        // The duty polls what could not be decided now.
        await this.transactions
          .run((tx) => this.receiver.decideUndecided(tx, address))
          .catch((error: unknown) => this.warn('An event stays undecided for now', error));
      },
    });
  }

  /**
   * For tests: one round of what the engine does by itself in production, without waiting for its intervals: a pass of each duty, then the runs that are
   * due, each until nothing of it is due any more. Ends when nothing is claimed here. Answers how much was done. Works with `work: false` too, and then
   * nothing happens but by this.
   */
  async tick(): Promise<number> {
    await this.hints.drained();
    let done = 0;
    for (const duty of this.duties) done += await duty.pass(new AbortController().signal);
    done += await this.worker.takeOverdue(0, TAKEN_MAX);
    await this.worker.settled();
    return done;
  }

  /**
   * For tests: works until nothing is due any more before time passes or an event comes. Answers how much was done.
   * @throws InvariantError if that takes more than 10,000 rounds
   */
  async drain(): Promise<number> {
    let all = 0;
    for (let ticks = 0; ; ticks++) {
      const done = await this.tick();
      if (done === 0) return all;
      all += done;
      invariant(ticks < TICKS_MAX, 'there is always more to do');
    }
  }

  /** Takes nothing new, hands back what it holds within a bounded time, and closes its connections. */
  async stop(): Promise<void> {
    const paused = this.channel.pause();
    const loopsStopped = Promise.all(this.loops.map((loop) => loop.stop()));
    await this.worker.stop();
    await paused;
    // A pass that waits for the server, or for the slot of a step that does, is left behind.
    await atMost(LAST_WORDS_MS, Promise.all([loopsStopped, this.leases.stop()]));
    // What was handed back goes on at once elsewhere; a hint that does not get away in time is the rescuer's.
    await atMost(LAST_WORDS_MS, this.hints.drained());
    await this.channel.close();
  }

  private warn(what: string, error: unknown): void {
    const { code, message = String(error) } = (error ?? {}) as { code?: string; message?: string };
    const kind = sqlErrorKind(error);
    this.logger.warn(
      `${what}: ${message}${code === undefined ? '' : ` (${code})`}${kind === undefined ? '' : `, ${kind}`}`,
    );
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, pause(ms, undefined, { ref: false })]);
}

function openHintChannel({ queueUrl = '', prefix, service }: ResolvedOptions): HintChannel {
  const backend = openBullBackend(queueUrl, { prefix });
  return new BullHintChannel(backend, { queueName: `hints-${service}`, concurrency: HINT_JOBS_AT_ONCE });
}
