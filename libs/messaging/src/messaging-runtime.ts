import { Logger } from '@nestjs/common';
import { type Duty, DutyLoop, Transactions } from '@pawl/core';
import type { DataSource } from 'typeorm';
import { DeadLetters } from './dead-letter/dead-letters.js';
import { Redriver } from './dead-letter/redriver.js';
import { guardDataSource } from './guard-connections.js';
import { Acknowledger } from './inbox/acknowledger.js';
import { Feeds } from './feed/feeds.js';
import { OutboxFeed } from './feed/outbox-feed.js';
import { AttemptLedger } from './inbox/attempts.js';
import { Consumers } from './inbox/consumers.js';
import { HeldMessages } from './inbox/held-messages.js';
import { Inbox } from './inbox/inbox.js';
import { OutsideCalls } from './inbox/outside-calls.js';
import { PatientBatch } from './inbox/patient-batch.js';
import { StreamBatch } from './inbox/stream-batch.js';
import { SealingTransport } from './integrity/sealing-transport.js';
import { NO_SEALS } from './integrity/seals.js';
import { checkedLimits, type MessagingLimits, type MessagingOptions } from './messaging-options.js';
import { Acknowledgements } from './outbox/acknowledgements.js';
import { Outbox } from './outbox/outbox.js';
import { Publisher } from './outbox/publisher.js';
import { OutboxRelay } from './outbox/relay.js';
import { Retransmitter } from './outbox/retransmitter.js';
import { Receiver } from './receiver.js';
import { SeldomLog } from './seldom-log.js';
import { type BullBackend, openBullBackend } from './transport/bull-backend.js';
import { BullTransport } from './transport/bull-transport.js';
import type { Subscription, Transport } from './transport/transport.js';
import { within } from './transport/within.js';

/**
 * The messaging core of one process, wired: outbox with its duties, inbox with its consumers, the transport between. The Nest module
 * makes one; without Nest it is made by hand.
 *
 * Starting and stopping tolerate that PostgreSQL or the bus are away.
 */
export class MessagingRuntime {
  readonly limits: MessagingLimits;
  readonly consumers = new Consumers();
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly relay: OutboxRelay;
  readonly retransmitter: Retransmitter;
  readonly receiver: Receiver;
  readonly deadLetters: DeadLetters;
  readonly redriver: Redriver;
  readonly heldMessages: HeldMessages;
  /** What others may read here, if anything. */
  readonly feed: OutboxFeed | undefined;
  /** What this service reads elsewhere. */
  readonly feeds: Feeds;
  /** BullMQ on the bus's server, unless another transport was given. */
  readonly backend: BullBackend | undefined;
  private readonly log = new SeldomLog(new Logger('Messaging'));
  private readonly transport: Transport;
  private readonly acknowledger: Acknowledger;
  private readonly loops: {
    readonly relay: DutyLoop;
    readonly retransmitter: DutyLoop;
    readonly redriver: DutyLoop;
    readonly heldMessages: DutyLoop;
  };
  private readonly feedPolls: DutyLoop | undefined;
  private subscription: Subscription | undefined;

  /** @throws RefusedToBootError with every problem of the options */
  constructor(
    dataSource: DataSource,
    private readonly options: MessagingOptions,
  ) {
    this.limits = checkedLimits(options);
    const { service, prefix } = options;
    const { attemptsMax, lockTimeoutMs } = this.limits;
    this.backend =
      options.busUrl === undefined
        ? undefined
        : openBullBackend(options.busUrl, { ...(prefix && { prefix }) });
    this.transport = this.sealed(options.transport ?? this.bullTransport());
    guardDataSource(dataSource);
    this.transactions = new Transactions(dataSource, { lockTimeoutMs });
    const seals = this.transport instanceof SealingTransport ? this.transport : NO_SEALS;
    this.feed = options.feed && new OutboxFeed(this.transactions, { service, seals, ...options.feed });
    this.feeds = new Feeds(this.transactions, {
      service,
      seals,
      onError: ({ name }, error) => this.log.warn(`The ${name} is not read`, error),
    });
    for (const source of options.feeds ?? []) this.feeds.add(source);

    const wakeRelay = (): void => this.loops.relay.wake();
    const publisher = new Publisher(this.transactions, this.transport, {
      service,
      ...this.limits,
      announce: (rows) => this.feed?.polls.wake(rows),
    });
    this.outbox = new Outbox(this.transactions, wakeRelay);
    this.relay = new OutboxRelay(this.transactions, publisher, this.limits);
    this.retransmitter = new Retransmitter(this.transactions, publisher, this.limits);
    this.deadLetters = new DeadLetters((sql, values) => this.transactions.run((tx) => tx.query(sql, values)));
    const leaseMs = 2 * this.limits.handlerTimeoutMs;
    this.redriver = new Redriver(this.transactions, this.consumers, { leaseMs });
    this.heldMessages = new HeldMessages(this.transactions, this.consumers, {
      ...this.limits,
      onError: (error) => this.log.warn('A held message stays held', error),
    });
    this.loops = {
      relay: this.loop(this.relay),
      retransmitter: this.loop(this.retransmitter),
      redriver: this.loop(this.redriver),
      heldMessages: this.loop(this.heldMessages),
    };

    this.feedPolls = this.feed && this.loop(this.feed.polls);

    const onError = (error: unknown): void => this.log.warn('Messages stay open', error);
    const { callTimeoutMs } = this.limits;
    const calls = new OutsideCalls(this.transactions, this.consumers, { callTimeoutMs, onError });
    const batch = new StreamBatch(this.transactions, this.consumers, calls, this.limits);
    const attempts = new AttemptLedger(this.transactions);
    const patient = new PatientBatch(batch, attempts, calls, { attemptsMax, onError });
    this.acknowledger = new Acknowledger(this.feeds.reverse(this.transport), {
      onError: (error) => this.log.warn('An acknowledgement was not sent', error),
    });
    this.inbox = new Inbox(patient, {
      transactionsMax: this.limits.transactionsMax,
      callsMax: this.limits.callsMax,
      acknowledge: (partition, ledger) => this.acknowledger.note(partition, ledger),
    });
    this.receiver = new Receiver(
      this.inbox,
      new Acknowledgements(this.transactions, { service, wakeRelay }),
      {
        service,
        onProblem: (what, error) => this.log.warn(what, error),
      },
    );
  }

  /** Takes what the reader of a stream has sent to its feed: acknowledgements of that stream. */
  async takeFromReader(stream: string, deliveries: readonly unknown[]): Promise<void> {
    const contents = this.feed?.opened(stream, deliveries) ?? [];
    await this.receiver.receive(contents, false);
  }

  /** Starts sending and, unless this process does not consume, receiving. Register consumers before. */
  async start(): Promise<void> {
    this.loops.relay.start();
    this.loops.retransmitter.start();
    this.feedPolls?.start();
    if (this.options.consume === false) return;
    this.loops.redriver.start();
    this.loops.heldMessages.start();
    this.subscription = await this.transport.consume(this.options.service, (deliveries, repeated) =>
      this.receiver.receive(deliveries, repeated),
    );
    this.feeds.start((deliveries, repeated) => this.receiver.receive(deliveries, repeated));
  }

  /** Takes nothing new, finishes what is under way, sends the last acknowledgements; gives up after `stopTimeoutMs`. */
  async stop(): Promise<void> {
    await within(this.stopInOrder(), this.limits.stopTimeoutMs, 'stopping').catch((error: unknown) => {
      this.log.warn('Messaging did not stop in time', error);
    });
  }

  private async stopInOrder(): Promise<void> {
    this.feed?.polls.close();
    await Promise.all([this.subscription?.close(), this.feeds.stop(), this.feedPolls?.stop()]);
    this.inbox.close();
    await Promise.all(Object.values(this.loops).map((loop) => loop.stop()));
    await this.acknowledger.close();
    if (this.options.transport === undefined) await this.transport.close();
    await this.backend?.close();
  }

  private loop(duty: Duty): DutyLoop {
    return new DutyLoop(duty, ({ name }, error) => this.log.warn(`The ${name} could not work`, error));
  }

  private sealed(transport: Transport): Transport {
    const { service, keys } = this.options;
    if (keys === undefined) return transport;
    return new SealingTransport(transport, {
      service,
      keys,
      onRefused: (reason) => this.receiver.refused(reason),
    });
  }

  private bullTransport(): BullTransport {
    const { via } = this.options;
    const { concurrency } = this.limits;
    return new BullTransport(this.backend as BullBackend, {
      concurrency,
      ...(via === undefined ? {} : { via }),
    });
  }
}
