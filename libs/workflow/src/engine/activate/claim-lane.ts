import { Batcher, type Transactions } from '@pawl/core';
import { type Claim, claimNamed, type ClaimOptions } from '../../store/claims.js';

const LANES_MAX = 2;
const BATCH_MAX = 32;

/** A claim; or that somebody is writing the run just now; or nothing: it is not due, or somebody else's. */
export type ClaimAnswer = Claim | 'locked' | undefined;

interface Asked {
  readonly runId: string;
  readonly answer: (claim: ClaimAnswer) => void;
  readonly refuse: (error: unknown) => void;
}

/** Claims the runs that are asked for at the same time in one statement. */
export class ClaimLane {
  private readonly batcher: Batcher<Asked>;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: ClaimOptions,
  ) {
    this.batcher = new Batcher((asked) => this.flush(asked), { lanesMax: LANES_MAX, batchMax: BATCH_MAX });
  }

  async claim(runId: string): Promise<ClaimAnswer> {
    return new Promise((answer, refuse) => this.batcher.add({ runId, answer, refuse }));
  }

  private async flush(asked: readonly Asked[]): Promise<void> {
    try {
      const ids = [...new Set(asked.map(({ runId }) => runId))];
      const { claims, locked } = await this.transactions.run((tx) => claimNamed(tx, ids, this.options));
      const byRun = new Map<string, ClaimAnswer>(locked.map((runId) => [runId, 'locked']));
      for (const claim of claims) byRun.set(claim.run.id, claim);
      for (const { runId, answer } of asked) {
        answer(byRun.get(runId));
        // A run that was asked for twice is claimed once.
        byRun.delete(runId);
      }
    } catch (error) {
      for (const { refuse } of asked) refuse(error);
    }
  }
}
