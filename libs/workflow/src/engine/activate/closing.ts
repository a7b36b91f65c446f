import type { Activated } from './activated.js';
import { withClosed } from './claim-view.js';
import type { StepsClosed } from '../attempt/step-outcome.js';

/**
 * Runs a transaction that closes work of a run, and keeps what it has achieved in the claim. From `begin` on, which it calls before its closing
 * statement, no other close of this run is on its way: each knows what the one before it has done.
 */
export async function closingAlone(
  activated: Activated,
  transaction: (begin: () => Promise<void>) => Promise<StepsClosed>,
): Promise<StepsClosed> {
  let giveBack: (() => void) | undefined;
  try {
    const closed = await transaction(async () => {
      // A transaction that is tried again has it already.
      giveBack ??= await activated.closing.acquire();
    });
    keep(activated, closed);
    return closed;
  } finally {
    giveBack?.();
  }
}

function keep(activated: Activated, closed: StepsClosed): void {
  const { run } = activated.claim;
  // One entry more where it has moved the run, and for each effect that is undone.
  const undone = closed.finished.filter(({ kind, item }) => kind === 'compensation' && item === -1).length;
  const expected = run.revision + undone + (run.state === closed.run.state ? 0 : 1);
  if (closed.parkedCount > 0 || closed.run.revision !== expected) activated.outdated = true;
  activated.claim = withClosed(activated.claim, closed);
}
