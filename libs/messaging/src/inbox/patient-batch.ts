import { crashPoint, Slots } from '@pawl/core';
import type { Envelope } from '../envelope.js';
import { groupBy } from '../group-by.js';
import type { AttemptLedger } from './attempts.js';
import { type InboxPartition, partitionName } from './inbox-stream.js';
import type { OutsideCalls } from './outside-calls.js';
import { type BatchResult, type Incoming, isTransient, type StreamBatch } from './stream-batch.js';

export interface PatientBatchOptions {
  readonly attemptsMax: number;
  /** Messages that are tried apart at a time, each in a transaction of its own. */
  readonly apartMax: number;
  /** Told of errors after which messages stay open or spent an attempt. */
  readonly onError: (error: unknown, envelopes: readonly Envelope[]) => void;
}

/** What became of a batch. */
export interface Handled {
  readonly results: readonly BatchResult[];
  /** What is still being tried, apart from its partition, which need not wait. None of these promises rejects. */
  readonly apart: readonly Apart[];
}

/** Messages of one key, or one without an order. */
export interface Apart {
  readonly envelopes: readonly Envelope[];
  readonly results: Promise<readonly BatchResult[]>;
}

/**
 * Handles a batch so that one bad message harms no other: all in one transaction; if that throws, each alone and apart from its partition,
 * so that one that hangs holds up its own key only; and what throws alone spends an attempt, up to the limit. What may have ended its process before is counted before it is tried; if it then ends one for all we
 * know, it is tried while no other such message is, in any partition: else whoever runs beside the deadly one is counted with it.
 */
export class PatientBatch {
  private readonly quarantine = new Slots(1);
  private readonly apartSlots: Slots;
  /** Numbers that are being tried apart: a copy that comes meanwhile stays open. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly batch: StreamBatch,
    private readonly attempts: AttemptLedger,
    private readonly calls: OutsideCalls,
    private readonly options: PatientBatchOptions,
  ) {
    this.apartSlots = new Slots(options.apartMax);
  }

  /** Answers the results of the transactions it took, and what goes on. Does not throw. */
  async run(partition: InboxPartition, all: readonly Incoming[]): Promise<Handled> {
    const incoming = all.filter(({ envelope }) => !this.underWay.has(nameOf(envelope)));
    const inside = incoming.filter(({ envelope }) => !this.calls.concern(envelope));
    const handled = inside.length === 0 ? { results: [], apart: [] } : await this.inside(partition, inside);
    const results = [...handled.results];
    for (const each of incoming.filter((one) => !inside.includes(one)))
      results.push(await this.outside(partition, each));
    return { ...handled, results };
  }

  private async inside(partition: InboxPartition, incoming: readonly Incoming[]): Promise<Handled> {
    const first = await this.together(partition, incoming, { counted: false });
    if (first === undefined) return { results: [], apart: this.apart(partition, incoming) };
    const untried = first.setAside
      .filter(({ attempts }) => attempts === 0)
      .map(({ envelope }) => ({ envelope, suspect: true }));
    const tried = first.setAside
      .filter(({ attempts }) => attempts > 0)
      .map(({ envelope, deadly }) => ({ envelope, suspect: true, deadly }));
    if (untried.length === 0) return { results: [first], apart: this.apart(partition, tried) };
    const second = await this.together(partition, untried, { counted: true });
    return second === undefined
      ? { results: [first], apart: this.apart(partition, [...untried, ...tried]) }
      : { results: [first, second], apart: this.apart(partition, tried) };
  }

  /** Begins to try messages apart: those of a key one after the other, the others side by side as far as there are slots. */
  private apart(partition: InboxPartition, incoming: readonly Suspected[]): Apart[] {
    for (const { envelope } of incoming) this.underWay.add(nameOf(envelope));
    const chains = groupBy(bySequence(incoming), ({ envelope: { keyorder, subject, sequence } }) =>
      keyorder === undefined ? sequence : subject,
    );
    return [...chains.values()].map((chain) => ({
      envelopes: envelopesOf(chain),
      results: this.inTurn(partition, chain),
    }));
  }

  private async inTurn(partition: InboxPartition, chain: readonly Suspected[]): Promise<BatchResult[]> {
    const results: BatchResult[] = [];
    for (const one of chain) {
      const attempt = (): Promise<BatchResult> =>
        this.apartSlots.use(() => this.alone(partition, one, { apart: true }));
      results.push(await (one.deadly ? this.quarantine.use(attempt) : attempt()));
      this.underWay.delete(nameOf(one.envelope));
    }
    return results;
  }

  /** One whose handler runs in no transaction. It is looked first whether it is closed: then nobody is called. */
  private async outside(partition: InboxPartition, incoming: Incoming): Promise<BatchResult> {
    const { envelope } = incoming;
    try {
      const look = await this.batch.run(partition, [incoming], { counted: false });
      const [aside] = look.setAside;
      if (aside === undefined) return look;
      const suspect = incoming.suspect || aside.attempts > 0;
      const attempt = (): Promise<BatchResult> =>
        this.alone(partition, { envelope, suspect }, { apart: false });
      return await (aside.deadly ? this.quarantine.use(attempt) : attempt());
    } catch (error) {
      this.options.onError(error, [envelope]);
      return allOpen([incoming]);
    }
  }

  /** All in one transaction. Nothing if that throws and it may be the doing of one of them. */
  private async together(
    partition: InboxPartition,
    incoming: readonly Incoming[],
    { counted }: { counted: boolean },
  ): Promise<BatchResult | undefined> {
    const envelopes = envelopesOf(incoming);
    try {
      if (counted) await this.attempts.begin(partition, envelopes);
      const result = await this.batch.run(partition, incoming, { counted });
      if (counted) await this.undo(partition, result.open);
      return result;
    } catch (error) {
      this.options.onError(error, envelopes);
      if (counted) await this.undo(partition, envelopes);
      return isTransient(error) ? allOpen(incoming) : undefined;
    }
  }

  private async alone(partition: InboxPartition, incoming: Incoming, where: Where): Promise<BatchResult> {
    const { envelope, suspect } = incoming;
    try {
      if (suspect) await this.attempts.begin(partition, [envelope]);
      return await this.tryAlone(partition, incoming, where);
    } catch (error) {
      this.options.onError(error, [envelope]);
      return allOpen([incoming]);
    }
  }

  private async tryAlone(
    partition: InboxPartition,
    incoming: Incoming,
    { apart }: Where,
  ): Promise<BatchResult> {
    const { envelope, suspect: counted } = incoming;
    try {
      if (envelope.guarantee === 'at-least-once') {
        await this.calls.make(envelope);
        crashPoint('inbox.before-mark');
      }
      const result = await this.batch.run(partition, [incoming], { counted, apart, called: true });
      if (counted) await this.undo(partition, result.open);
      for (const marked of result.marked ?? []) await this.calls.makeMarked(marked);
      return result;
    } catch (error) {
      this.options.onError(error, [envelope]);
      if (isTransient(error)) {
        if (counted) await this.undo(partition, [envelope]);
        return allOpen([incoming]);
      }
      const spent = await this.attempts.fail(partition, envelope, error, { counted });
      // At the limit the next look finds it exhausted and closes its number with a dead letter, without running it.
      if (spent < this.options.attemptsMax) return allOpen([incoming]);
      return this.batch.run(partition, [incoming], { counted: false });
    }
  }

  /** Failing here costs a message an attempt that was none; the limit leaves room for that. */
  private async undo(partition: InboxPartition, envelopes: readonly Envelope[]): Promise<void> {
    await this.attempts
      .undo(partition, envelopes)
      .catch((error: unknown) => this.options.onError(error, envelopes));
  }
}

interface Suspected extends Incoming {
  /** An earlier try may have ended its process. */
  readonly deadly?: boolean;
}

interface Where {
  /** Whether its partition goes on meanwhile. */
  readonly apart: boolean;
}

function nameOf(envelope: Envelope): string {
  return `${partitionName(envelope)}/${envelope.sequence}`;
}

function envelopesOf(incoming: readonly Incoming[]): Envelope[] {
  return incoming.map(({ envelope }) => envelope);
}

function allOpen(incoming: readonly Incoming[]): BatchResult {
  return {
    closed: [],
    duplicates: [],
    open: envelopesOf(incoming),
    early: [],
    setAside: [],
    ledger: undefined,
  };
}

/** So that of one key none is tried before the one before it. */
function bySequence<Each extends Incoming>(incoming: readonly Each[]): Each[] {
  return incoming.toSorted((a, b) => a.envelope.sequence - b.envelope.sequence);
}
