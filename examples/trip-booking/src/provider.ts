import { NoEffectError, PermanentError } from '@pawl/workflow';

/** What somebody is asked for, under whose key it is theirs. */
export interface Wanted {
  readonly trip: string;
  readonly what: string;
}

/**
 * Whoever can be asked for something once per key: an airline, a hotel, a bank. `PUT`, `GET` and `DELETE` on the key.
 *
 * The error says what is known of the effect. A refusal is final, nothing was done: `PermanentError`. Turned away at the door, nothing was done,
 * try again: `NoEffectError`. Anything else, a timeout above all: nobody knows, so any other error.
 */
export class Provider {
  constructor(
    private readonly url: string,
    private readonly timeoutMs = 10_000,
  ) {}

  /** Answers their reference; for a key that they know already the same one. */
  async ask(key: string, wanted: Wanted, signal: AbortSignal): Promise<string> {
    const body = JSON.stringify(wanted);
    const answer = await this.fetch(key, signal, { method: 'PUT', body });
    return referenceIn(answer);
  }

  /** Their reference, if anything has come of this key. */
  async find(key: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.fetch(key, signal, { method: 'GET' }, [404]);
    return answer.status === 404 ? undefined : referenceIn(answer);
  }

  /** Gives it back. A key that they have not seen is spent by this: what is still on its way to them is refused. */
  async giveBack(key: string, signal: AbortSignal): Promise<void> {
    await this.fetch(key, signal, { method: 'DELETE' });
  }

  private async fetch(
    key: string,
    signal: AbortSignal,
    init: { method: string; body?: string },
    expected: readonly number[] = [],
  ): Promise<Response> {
    const either = AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]);
    const answer = await fetch(`${this.url}/${encodeURIComponent(key)}`, { ...init, signal: either });
    if (answer.ok || expected.includes(answer.status)) return answer;
    const words = await answer.text();
    if (answer.status === 422) throw new PermanentError(words);
    if (answer.status === 503) throw new NoEffectError(words);
    throw new Error(`${answer.status}: ${words}`);
  }
}

async function referenceIn(answer: Response): Promise<string> {
  const { reference } = (await answer.json()) as { reference: string };
  return reference;
}
