import { contentDigest, PawlError, type Transaction, type Transactions } from '@pawl/core';
import { payloadProblems } from '@pawl/messaging';
import { v7 as uuidv7 } from 'uuid';
import { UpdateRefusedError } from '../../machine/update-refused-error.js';
import type { AskedUpdate, UpdateVerdict } from '../../model/update.js';
import { journaledUpdate } from '../../store/journaled-update.js';
import { lockKnownRun, type RunAddress } from '../../store/lock-runs.js';
import { committedOnce } from './committed-once.js';
import type { RunAdvancer } from '../receive/run-advancer.js';
import { RunNotFoundError } from './run-not-found-error.js';

/** An update as a caller asks for it. */
export interface UpdateRequest extends RunAddress {
  readonly member: string;
  readonly input: unknown;
  readonly id?: string | undefined;
}

type Asked = Omit<AskedUpdate, 'askedAt' | 'earlier'>;

/** Makes updates: each is decided, made, journaled and answered in one transaction, under the lock of its run. */
export class RunUpdates {
  constructor(
    private readonly transactions: Transactions,
    private readonly advancer: RunAdvancer,
  ) {}

  /**
   * Answers what the update's method answers, once that is committed. What was due with the run before is committed also if the update is refused.
   * @throws UpdateRefusedError, UpdateFailedError, RunNotFoundError
   */
  async ask(request: UpdateRequest, tx?: Transaction): Promise<unknown> {
    const asked = askedUpdate(request);
    const verdict = tx
      ? await this.decide(tx, request, asked)
      : await committedOnce(this.transactions, async (own) => this.decide(own, request, asked));
    return answerOf(verdict, request);
  }

  private async decide(tx: Transaction, address: RunAddress, asked: Asked): Promise<UpdateVerdict> {
    const locked = await lockKnownRun(tx, address);
    if (locked === undefined) throw new RunNotFoundError(address);
    const earlier = await journaledUpdate(tx, locked.run.id, asked.id);
    return this.advancer.update(tx, locked, { ...asked, askedAt: locked.at, earlier });
  }
}

/** The update with its input as plain JSON. */
function askedUpdate({ member, input = null, id = uuidv7() }: UpdateRequest): Asked {
  if (id.length === 0 || id.length > ID_LENGTH_MAX || id.includes('\0'))
    throw new PawlError('invalid_id', `The id of an update is a text of 1 to ${ID_LENGTH_MAX} characters.`);
  const problems = payloadProblems(input).map((problem) => `the input ${problem}`);
  if (problems.length > 0)
    throw new UpdateRefusedError(problems.join('; '), { rule: 'invalid-input', problems });
  const plain: unknown = JSON.parse(JSON.stringify(input));
  return { id, member, input: plain, digest: contentDigest(plain), source: 'client' };
}

function answerOf(verdict: UpdateVerdict, { workflow, key, member }: UpdateRequest): unknown {
  if (verdict.verdict === 'answered') return verdict.answer;
  const { rule, detail, details } = verdict;
  if (rule === 'run-not-started') throw new RunNotFoundError({ workflow, key });
  if (rule === 'handler-failed') throw new UpdateFailedError(detail, { workflow, key, member });
  throw new UpdateRefusedError(detail, { ...details, rule, workflow, key, update: member });
}

/** An update's method is at fault: it threw something else than a refusal, or answered what is no plain JSON. Nothing was changed (HTTP: 500). */
export class UpdateFailedError extends PawlError {
  constructor(detail: string, details: Record<string, unknown>) {
    super('update_failed', `The update changed nothing: ${detail}.`, details);
  }
}

const ID_LENGTH_MAX = 200;
