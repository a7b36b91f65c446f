// The process that the crash test of sagas kills: an engine for journeys on the database that it is told.
import { EffectLedger, startTestEngine } from '@pawl/testing';
import { JourneyWorkflow } from './journey.js';

export const JOURNEY_ENGINE = { clock: false, options: { leaseMs: 1_500, rescueEveryMs: 50 } } as const;

/** A worker for journeys. */
export async function openJourneys(databaseUrl: string, ledger: EffectLedger, start = true) {
  return startTestEngine({ ...JOURNEY_ENGINE, workflows: [new JourneyWorkflow(ledger)], databaseUrl, start });
}

const { JOURNEY_DATABASE, JOURNEY_EFFECTS } = process.env;
if (JOURNEY_DATABASE !== undefined && JOURNEY_EFFECTS !== undefined) {
  process.once('disconnect', () => process.exit());
  await openJourneys(JOURNEY_DATABASE, EffectLedger.open(JOURNEY_EFFECTS));
  process.send?.({ ready: true });
}
