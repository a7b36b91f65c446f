import type { Bounds } from './protocol-model.js';

/** No faults: only copies that are repeated, reordered, late for ever or lost with the whole bus at the end. */
export const CALM: Bounds = {
  writes: 2,
  crashes: 0,
  questions: 0,
  restarts: 0,
  senderRestores: 0,
  receiverRestores: 0,
  waivers: 0,
  // Without relays of its own the sender publishes in the step that commits: a relay that is slower is a copy that is late.
  relays: 0,
  window: 2,
  rangesMax: 2,
  keeps: true,
};
