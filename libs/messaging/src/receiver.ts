import { parseAcknowledgement, type Acknowledgement } from './acknowledgement.js';
import { type Envelope, isProblem, parseEnvelope } from './envelope.js';
import type { Inbox } from './inbox/inbox.js';
import type { RefusalReason } from './integrity/seal.js';
import type { Acknowledgements } from './outbox/acknowledgements.js';
import { streamEnds } from './route.js';

/** What has come from the bus, by kind. */
export interface ReceiverCounts {
  messages: number;
  acknowledgements: number;
  /** Neither of the two, or malformed: ghosts and forgeries. Counted and forgotten. */
  garbage: number;
  /** Meant for another service. */
  misrouted: number;
  /** Not signed as it should be, by reason. Counted and forgotten. */
  readonly refused: Record<RefusalReason, number>;
}

/** Sorts what the bus brings: messages to the inbox, acknowledgements to the outbox, garbage nowhere. */
export class Receiver {
  readonly counts: ReceiverCounts = {
    messages: 0,
    acknowledgements: 0,
    garbage: 0,
    misrouted: 0,
    refused: { unsigned: 0, wrong_receiver: 0, unknown_key: 0, bad_signature: 0, foreign_stream: 0 },
  };

  constructor(
    private readonly inbox: Inbox,
    private readonly acknowledgements: Acknowledgements,
    private readonly options: {
      readonly service: string;
      readonly onProblem: (what: string, error: unknown) => void;
    },
  ) {}

  /** Never throws: what could not be taken comes again. */
  async receive(deliveries: readonly unknown[], repeated: boolean): Promise<void> {
    const envelopes: Envelope[] = [];
    const acknowledgements: Acknowledgement[] = [];
    for (const delivery of deliveries) {
      const parsed = this.parse(delivery);
      if (parsed === undefined) continue;
      if ('closed' in parsed) acknowledgements.push(parsed);
      else envelopes.push(parsed);
    }
    await Promise.all([this.inbox.accept(envelopes, { repeated }), this.acknowledge(acknowledgements)]);
  }

  /** Takes note of a delivery that was refused for its seal. */
  refused(reason: RefusalReason): void {
    this.counts.refused[reason]++;
    this.options.onProblem('Refused what the bus brought', reason);
  }

  private parse(delivery: unknown): Envelope | Acknowledgement | undefined {
    const { acknowledgement } = (delivery ?? {}) as { acknowledgement?: unknown };
    const parsed =
      acknowledgement === undefined ? parseEnvelope(delivery) : parseAcknowledgement(acknowledgement);
    if (isProblem(parsed)) {
      this.counts.garbage++;
      this.options.onProblem('Dropped garbage', parsed.problems.join('; '));
      return undefined;
    }
    const ends = streamEnds(parsed.stream);
    if (('closed' in parsed ? ends?.from : ends?.to) !== this.options.service) {
      this.counts.misrouted++;
      this.options.onProblem('Dropped what was meant for others', parsed.stream);
      return undefined;
    }
    if ('closed' in parsed) this.counts.acknowledgements++;
    else this.counts.messages++;
    return parsed;
  }

  private async acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<void> {
    if (acknowledgements.length === 0) return;
    await this.acknowledgements.apply(acknowledgements).catch((error: unknown) => {
      // The next acknowledgement says the same and more.
      this.options.onProblem('Could not take an acknowledgement', error);
    });
  }
}
