import { Logger } from '@nestjs/common';
import { type Duty, DutyLoop, Transactions } from '@pawl/core';
import type { DataSource } from 'typeorm';
import { DeadLetters } from './dead-letter/dead-letters.js';
import { Redriver } from './dead-letter/redriver.js';
import { guardDataSource } from './guard-connections.js';
import { Acknowledger } from './inbox/acknowledger.js';
import { ClaimCheck } from './feed/claim-check.js';
import { Feeds } from './feed/feeds.js';
import { PayloadFetcher } from './feed/payload-fetcher.js';
import { OutboxFeed } from './feed/outbox-feed.js';
import { AttemptLedger } from './inbox/attempts.js';
import { Consumers } from './inbox/consumers.js';
import { GapWatch } from './inbox/gap-watch.js';
import { HeldMessages } from './inbox/held-messages.js';
import { Inbox } from './inbox/inbox.js';
import { OutsideCalls } from './inbox/outside-calls.js';
import { PatientBatch } from './inbox/patient-batch.js';
import { SessionAnswerer } from './inbox/session-answerer.js';
import { SettlementAnswerer } from './inbox/settlement-answerer.js';
import { StreamBatch } from './inbox/stream-batch.js';
import { SealingTransport } from './integrity/sealing-transport.js';
import { NO_SEALS } from './integrity/seals.js';
import { WIRE_VERSION } from './integrity/wire-version.js';
import { checkedLimits, type MessagingLimits, type MessagingOptions } from './messaging-options.js';
import { MessageStreams } from './message-streams.js';
import { Acknowledgements } from './outbox/acknowledgements.js';
import { Backlogs } from './outbox/backlogs.js';
import { Outbox } from './outbox/outbox.js';
import { Publisher } from './outbox/publisher.js';
import { OutboxRelay } from './outbox/relay.js';
import { Retransmitter } from './outbox/retransmitter.js';
import { SessionAnswers } from './outbox/session-answers.js';
import { Sessions } from './outbox/sessions.js';
import { Settlements } from './outbox/settlements.js';
import type { StreamPartition } from './protocol/stream-address.js';
import { Receiver, type Takers } from './receiver.js';
import { RestoreWindow } from './restore-window.js';
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
  readonly sessions: Sessions;
  readonly restoreWindow: RestoreWindow;
  readonly streams: MessageStreams;
  readonly receiver: Receiver;
  readonly deadLetters: DeadLetters;
  readonly redriver: Redriver;
  readonly heldMessages: HeldMessages;
  readonly backlogs: Backlogs;
  readonly gapWatch: GapWatch;
  /** What others may read here, if anything. */
  readonly feed: OutboxFeed | undefined;
  /** What this service reads elsewhere. */
  readonly feeds: Feeds;
  /** BullMQ on the bus's server, unless another transport was given. */
  readonly backend: BullBackend | undefined;
  private readonly logger = new Logger('Messaging');
  private readonly log = new SeldomLog(this.logger);
  private readonly transport: Transport;
  private readonly acknowledger: Acknowledger;
  private readonly loops: {
    readonly relay: DutyLoop;
    readonly retransmitter: DutyLoop;
    readonly sessions: DutyLoop;
    readonly restoreWindow: DutyLoop;
    readonly redriver: DutyLoop;
    readonly heldMessages: DutyLoop;
    readonly backlogs: DutyLoop;
    readonly gapWatch: DutyLoop;
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
    this.feed =
      options.feed &&
      new OutboxFeed(this.transactions, {
        service,
        seals,
        pendingQuestions: (to, partition) => this.sessions.pending(to, partition),
        ...options.feed,
      });
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
    this.backlogs = new Backlogs(this.transactions);
    const claimCheck = new ClaimCheck({
      readers: Object.keys(options.feed?.tokens ?? {}),
      bytesMax: this.limits.claimCheckBytes,
    });
    this.outbox = new Outbox(this.transactions, wakeRelay, this.backlogs, claimCheck);
    this.sessions = new Sessions(
      this.transactions,
      { transport: this.transport, publisher },
      { service, ...this.limits },
    );
    this.restoreWindow = new RestoreWindow(this.transactions, this.limits);
    this.streams = new MessageStreams((sql, values) => this.transactions.run((tx) => tx.query(sql, values)));
    this.relay = new OutboxRelay(this.transactions, publisher, this.sessions, this.limits);
    this.retransmitter = new Retransmitter(this.transactions, publisher, this.limits);
    this.deadLetters = new DeadLetters((sql, values) => this.transactions.run((tx) => tx.query(sql, values)));
    const onError = (error: unknown): void => this.log.warn('Messages stay open', error);
    const { callTimeoutMs, handlerTimeoutMs } = this.limits;
    const calls = new OutsideCalls(this.transactions, this.consumers, { callTimeoutMs, onError });
    const leaseMs = callTimeoutMs + 2 * handlerTimeoutMs;
    this.redriver = new Redriver(this.transactions, this.consumers, calls, { leaseMs });
    this.heldMessages = new HeldMessages(this.transactions, this.consumers, calls, {
      ...this.limits,
      callLeaseMs: leaseMs,
      onError: (error) => this.log.warn('A held message stays held', error),
    });
    this.gapWatch = new GapWatch(this.transactions, {
      ...this.limits,
      onGap: (gap) => {
        const { stream, partition, missing, since } = gap;
        this.log.warn(
          'A gap stays',
          `${stream}/${partition} waits for number ${missing} since ${since.toISOString()}, later ones have come`,
        );
      },
      // Nothing if no feed of that sender is known here.
      fetch: (gap) => {
        this.feeds.fetch(gap).catch((error: unknown) => this.log.warn('A gap was not fetched', error));
      },
    });
    this.loops = {
      relay: this.loop(this.relay),
      retransmitter: this.loop(this.retransmitter),
      sessions: this.loop(this.sessions),
      restoreWindow: this.loop(this.restoreWindow),
      redriver: this.loop(this.redriver),
      heldMessages: this.loop(this.heldMessages),
      backlogs: this.loop(this.backlogs),
      gapWatch: this.loop(this.gapWatch),
    };

    this.feedPolls = this.feed && this.loop(this.feed.polls);

    const batch = new StreamBatch(this.transactions, this.consumers, calls, this.limits);
    const attempts = new AttemptLedger(this.transactions);
    const patient = new PatientBatch(batch, attempts, calls, {
      attemptsMax,
      apartMax: this.limits.apartMax,
      onError,
    });
    this.acknowledger = new Acknowledger(this.feeds.reverse(this.transport), {
      onError: (error) => this.log.warn('An acknowledgement was not sent', error),
    });
    this.inbox = new Inbox(patient, {
      acceptedMax: this.limits.acceptedMax,
      transactionsMax: this.limits.transactionsMax,
      callsMax: this.limits.callsMax,
      acknowledge: (partition, ledger) => this.acknowledger.note(partition, ledger),
    });
    this.receiver = new Receiver(this.takers(), {
      service,
      onProblem: (what, error) => this.log.warn(what, error),
    });
  }

  private takers(): Takers {
    const { transactions, limits } = this;
    const onSetBack = (what: string, { stream, partition }: StreamPartition): void => {
      this.logger.warn(`${what}: ${stream}, partition ${partition}.`);
    };
    const wakeRelay = (): void => this.loops.relay.wake();
    const wakeSessions = (): void => this.loops.sessions.wake();
    const sending = { ...limits, service: this.options.service, wakeRelay, wakeSessions, onSetBack };
    const onError = (error: unknown): void => this.log.warn('An answer was not sent', error);
    const acknowledgements = new Acknowledgements(transactions, sending);
    const answers = new SessionAnswers(transactions, sending);
    const settlements = new Settlements(transactions, sending);
    const back = this.feeds.reverse(this.transport);
    const payloads = new PayloadFetcher({
      client: (from) => this.feeds.client(from),
      onError: (error) => this.log.warn('A message waits for its payload', error),
    });
    const answerer = new SessionAnswerer(transactions, back, { onError, onSetBack });
    const settlementAnswerer = new SettlementAnswerer(transactions, back, { ...limits, onError });
    return {
      message: (envelopes, repeated) =>
        payloads.hand(envelopes, (all) => this.inbox.accept(all, { repeated })),
      acknowledgement: (all) => acknowledgements.apply(all),
      question: (all) => answerer.answer(all),
      answer: (all) => answers.apply(all),
      settlement: (all) => settlementAnswerer.answer(all),
      settled: (all) => settlements.apply(all),
    };
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
    this.loops.backlogs.start();
    this.loops.sessions.start();
    this.loops.restoreWindow.start();
    this.feedPolls?.start();
    if (this.options.consume === false) return;
    this.loops.redriver.start();
    this.loops.heldMessages.start();
    this.loops.gapWatch.start();
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
    const { service, keys, wireVersion = WIRE_VERSION } = this.options;
    if (keys === undefined) return transport;
    return new SealingTransport(transport, {
      service,
      keys,
      wireVersion,
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
