import type { Delivery } from '../transport/transport.js';

/** What keys do to deliveries that travel by the feed, as they do on the bus. */
export interface Seals {
  /** Signs what goes to a service. */
  seal(destination: string, deliveries: readonly Delivery[]): Delivery[];
  /** The contents of those that are rightly signed; the others are counted and dropped. */
  open(deliveries: readonly unknown[]): unknown[];
}

/** Where keys are done without. */
export const NO_SEALS: Seals = {
  seal: (_destination, deliveries) => [...deliveries],
  open: (deliveries) => [...deliveries],
};
