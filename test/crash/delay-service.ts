// The process that the crash test of delays kills: an engine for late fees on the database that it is told.
import { EffectLedger, startTestEngine } from '@pawl/testing';
import { MessageType } from '@pawl/messaging';
import { type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'fee.due', version: 1 })
export class FeeDue {}

const fee = workflow<object>()('fee', { version: 1, states: ['Due', 'Charged'], final: ['Charged'] });

/** A fee that is charged a moment after it is due. */
@fee.Workflow()
export class FeeWorkflow {
  constructor(private readonly ledger: EffectLedger) {}

  @fee.On(FeeDue, { start: true, to: 'Due' })
  due(): void {}

  @fee.Step({ in: 'Due', to: 'Charged', effect: 'external', delay: '300ms' })
  async charge({ key, idempotencyKey }: StepContext<object>): Promise<void> {
    this.ledger.note(`${key} ${idempotencyKey}`);
  }
}

/** A worker for fees. */
export async function openFees(databaseUrl: string, ledger: EffectLedger, start = true) {
  const options = { leaseMs: 1_500, rescueEveryMs: 50 };
  return startTestEngine({
    workflows: [new FeeWorkflow(ledger)],
    databaseUrl,
    start,
    clock: false,
    options,
  });
}

const { FEE_DATABASE, FEE_EFFECTS } = process.env;
if (FEE_DATABASE !== undefined && FEE_EFFECTS !== undefined) {
  process.once('disconnect', () => process.exit());
  await openFees(FEE_DATABASE, EffectLedger.open(FEE_EFFECTS));
  process.send?.({ ready: true });
}
