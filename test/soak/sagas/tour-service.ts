// A worker for tours, in a process of its own that is killed.
import { startTestEngine } from '@pawl/testing';
import { TourOfVersion1, TourOfVersion2 } from './tour.js';

export const TOUR_ENGINE = {
  clock: false,
  options: { leaseMs: 1_500, rescueEveryMs: 50, concurrency: 16 },
} as const;

/** An engine for tours; without `start` it is a client that works on nothing. */
export async function openTours(databaseUrl: string, providerUrl: string, start: boolean) {
  const workflows = [new TourOfVersion1(providerUrl), new TourOfVersion2(providerUrl)];
  return startTestEngine({ ...TOUR_ENGINE, workflows, databaseUrl, start });
}

const { TOUR_DATABASE, TOUR_PROVIDER } = process.env;
if (TOUR_DATABASE !== undefined && TOUR_PROVIDER !== undefined) {
  process.once('disconnect', () => process.exit());
  await openTours(TOUR_DATABASE, TOUR_PROVIDER, true);
  process.send?.({ ready: true });
}
