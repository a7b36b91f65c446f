import { type Acknowledgement, parseAcknowledgement } from './acknowledgement.js';
import { type Envelope, isProblem, parseEnvelope, type Problem } from './envelope.js';
import { groupBy } from './group-by.js';
import type { RefusalReason } from './integrity/seal.js';
import { readability } from './integrity/wire-version.js';
import type { SessionAnswer, SessionQuestion } from './protocol/session.js';
import { streamEnds } from './route.js';
import { parseAnswer, parseQuestion } from './session-delivery.js';
import {
  parseSettlementAnswer,
  parseSettlementQuestion,
  type SettlementAnswer,
  type SettlementQuestion,
} from './settlement-delivery.js';

/** What has come from the bus, by kind. */
export interface ReceiverCounts {
  messages: number;
  acknowledgements: number;
  /** Questions and answers of sessions, and of settlements. */
  sessions: number;
  settlements: number;
  /** None of these, or malformed: ghosts and forgeries. Counted and forgotten. */
  garbage: number;
  /** Of a version of the wire format that this release does not know: left open for a newer process. */
  newer: number;
  /** Meant for another service. */
  misrouted: number;
  /** Not signed as it should be, by reason. Counted and forgotten. */
  readonly refused: Record<RefusalReason, number>;
}

/** What a delivery may hold. */
interface Contents {
  readonly message: Envelope;
  readonly acknowledgement: Acknowledgement;
  readonly question: SessionQuestion;
  readonly answer: SessionAnswer;
  readonly settlement: SettlementQuestion;
  readonly settled: SettlementAnswer;
}

type Kind = keyof Contents;

/** Who takes what. Each may throw: then it comes again, or the next of its kind says the same. */
export type Takers = {
  readonly [K in Kind]: (contents: readonly Contents[K][], repeated: boolean) => Promise<unknown>;
};

interface KindRules {
  readonly parse: (input: unknown) => Contents[Kind] | Problem;
  /** Which end of its stream it goes to. */
  readonly goesTo: 'from' | 'to';
  readonly countedAs: 'messages' | 'acknowledgements' | 'sessions' | 'settlements';
}

const KINDS: Readonly<Record<Kind, KindRules>> = {
  message: { parse: parseEnvelope, goesTo: 'to', countedAs: 'messages' },
  acknowledgement: { parse: parseAcknowledgement, goesTo: 'from', countedAs: 'acknowledgements' },
  question: { parse: parseQuestion, goesTo: 'to', countedAs: 'sessions' },
  answer: { parse: parseAnswer, goesTo: 'from', countedAs: 'sessions' },
  settlement: { parse: parseSettlementQuestion, goesTo: 'to', countedAs: 'settlements' },
  settled: { parse: parseSettlementAnswer, goesTo: 'from', countedAs: 'settlements' },
};

/** Sorts what the bus brings: each kind to whoever takes it, garbage nowhere. */
export class Receiver {
  readonly counts: ReceiverCounts = {
    messages: 0,
    acknowledgements: 0,
    sessions: 0,
    settlements: 0,
    garbage: 0,
    newer: 0,
    misrouted: 0,
    refused: { unsigned: 0, wrong_receiver: 0, unknown_key: 0, bad_signature: 0, foreign_stream: 0 },
  };

  constructor(
    private readonly takers: Takers,
    private readonly options: {
      readonly service: string;
      readonly onProblem: (what: string, error: unknown) => void;
    },
  ) {}

  /** Never throws: what could not be taken comes again. */
  async receive(deliveries: readonly unknown[], repeated: boolean): Promise<void> {
    const read = deliveries.flatMap((delivery) => this.read(delivery) ?? []);
    const byKind = groupBy(read, ({ kind }) => kind);
    await Promise.all(
      [...byKind].map(async ([kind, group]) => {
        const take = this.takers[kind] as (
          contents: readonly unknown[],
          repeated: boolean,
        ) => Promise<unknown>;
        const contents = group.map(({ content }) => content);
        await take(contents, repeated).catch((error: unknown) => {
          this.options.onProblem(`Could not take the kind '${kind}' of delivery`, error);
        });
      }),
    );
  }

  /** Takes note of a delivery that was refused for its seal. */
  refused(reason: RefusalReason): void {
    this.counts.refused[reason]++;
    this.options.onProblem('Refused what the bus brought', reason);
  }

  private read(delivery: unknown): { kind: Kind; content: Contents[Kind] } | undefined {
    const readable = readability(delivery);
    if (readable === 'newer') {
      this.counts.newer++;
      this.options.onProblem(
        'Left open',
        'it is in a version of the wire format that this release can not read',
      );
      return undefined;
    }
    const { kind, input } = kindOf(delivery);
    const { parse, goesTo, countedAs } = KINDS[kind];
    const content = readable === 'garbage' ? NO_VERSION : parse(input);
    if (isProblem(content)) {
      this.counts.garbage++;
      this.options.onProblem('Dropped garbage', content.problems.join('; '));
      return undefined;
    }
    if (streamEnds(content.stream)?.[goesTo] !== this.options.service) {
      this.counts.misrouted++;
      this.options.onProblem('Dropped what was meant for others', content.stream);
      return undefined;
    }
    this.counts[countedAs]++;
    return { kind, content };
  }
}

const NO_VERSION: Problem = { problems: ['pawlversion is invalid'] };

/**
 * A message stands at the top, everything else one level below, under its kind. What names a stream at the top is a message, whatever else
 * it holds: that stream is the one its seal was checked for.
 */
function kindOf(delivery: unknown): { kind: Kind; input: unknown } {
  const fields = (delivery ?? {}) as Readonly<Record<string, unknown>>;
  if (fields['stream'] !== undefined) return { kind: 'message', input: delivery };
  const kinds = Object.keys(KINDS) as Kind[];
  const kind = kinds.find((each) => each !== 'message' && fields[each] !== undefined);
  return kind === undefined ? { kind: 'message', input: delivery } : { kind, input: fields[kind] };
}
