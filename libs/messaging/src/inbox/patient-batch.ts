import { crashPoint, Slots } from '@pawl/core';
import type { Envelope } from '../envelope.js';
import type { AttemptLedger } from './attempts.js';
import type { InboxPartition } from './inbox-stream.js';
import type { OutsideCalls } from './outside-calls.js';
import { type BatchResult, type Incoming, isTransient, type StreamBatch } from './stream-batch.js';

export interface PatientBatchOptions {
  readonly attemptsMax: number;
  /** Told of errors after which messages stay open or spent an attempt. */
  readonly onError: (error: unknown, envelopes: readonly Envelope[]) => void;
}

/**
 * Handles a batch so that one bad message harms no other: all in one transaction; if that throws, each alone; and what throws alone spends
 * an attempt, up to the limit. What may have ended its process before is counted before it is tried; if it then ends one for all we
 * know, it is tried while no other such message is, in any partition: else whoever runs beside the deadly one is counted with it.
 */
export class PatientBatch {
  private readonly quarantine = new Slots(1);

  constructor(
    private readonly batch: StreamBatch,
    private readonly attempts: AttemptLedger,
    private readonly calls: OutsideCalls,
    private readonly options: PatientBatchOptions,
  ) {}

  /** Answers the results of the transactions it took. Does not throw. */
  async run(partition: InboxPartition, incoming: readonly Incoming[]): Promise<BatchResult[]> {
    const inside = incoming.filter(({ envelope }) => !this.calls.concern(envelope));
    const results = inside.length === 0 ? [] : await this.inside(partition, inside);
    for (const each of incoming.filter((one) => !inside.includes(one)))
      results.push(await this.outside(partition, each));
    return results;
  }

  private async inside(partition: InboxPartition, incoming: readonly Incoming[]): Promise<BatchResult[]> {
    const first = await this.together(partition, incoming, { counted: false });
    const aside = first.flatMap(({ setAside }) => setAside);
    const untried = aside
      .filter(({ attempts }) => attempts === 0)
      .map(({ envelope }) => ({ envelope, suspect: true }));
    const results = [...first];
    if (untried.length > 0) results.push(...(await this.together(partition, untried, { counted: true })));
    for (const { envelope, deadly } of aside.filter(({ attempts }) => attempts > 0)) {
      const attempt = (): Promise<BatchResult> => this.alone(partition, { envelope, suspect: true });
      results.push(await (deadly ? this.quarantine.use(attempt) : attempt()));
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
      const attempt = (): Promise<BatchResult> => this.alone(partition, { envelope, suspect });
      return await (aside.deadly ? this.quarantine.use(attempt) : attempt());
    } catch (error) {
      this.options.onError(error, [envelope]);
      return allOpen([incoming]);
    }
  }

  /** All in one transaction, or else each in its own. */
  private async together(
    partition: InboxPartition,
    incoming: readonly Incoming[],
    { counted }: { counted: boolean },
  ): Promise<BatchResult[]> {
    const envelopes = envelopesOf(incoming);
    try {
      if (counted) await this.attempts.begin(partition, envelopes);
      const result = await this.batch.run(partition, incoming, { counted });
      if (counted) await this.undo(partition, result.open);
      return [result];
    } catch (error) {
      this.options.onError(error, envelopes);
      if (counted) await this.undo(partition, envelopes);
      if (isTransient(error)) return [allOpen(incoming)];
      const results: BatchResult[] = [];
      for (const each of bySequence(incoming)) results.push(await this.alone(partition, each));
      return results;
    }
  }

  private async alone(partition: InboxPartition, incoming: Incoming): Promise<BatchResult> {
    const { envelope, suspect } = incoming;
    try {
      if (suspect) await this.attempts.begin(partition, [envelope]);
      return await this.tryAlone(partition, incoming);
    } catch (error) {
      this.options.onError(error, [envelope]);
      return allOpen([incoming]);
    }
  }

  private async tryAlone(partition: InboxPartition, incoming: Incoming): Promise<BatchResult> {
    const { envelope, suspect: counted } = incoming;
    try {
      if (envelope.guarantee === 'at-least-once') {
        await this.calls.make(envelope);
        crashPoint('inbox.before-mark');
      }
      const result = await this.batch.run(partition, [incoming], { counted, called: true });
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
function bySequence(incoming: readonly Incoming[]): Incoming[] {
  return incoming.toSorted((a, b) => a.envelope.sequence - b.envelope.sequence);
}
