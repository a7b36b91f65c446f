import type { Copy } from './network.js';
import type { Rules } from './rules.js';
import type { World } from './world.js';

/** Something that can happen next: what a person reads of it, and the world after it. */
export interface Happening {
  readonly told: () => string;
  readonly after: () => World;
}

/** The limits that belong to the protocol. */
export interface Limits {
  readonly window: number;
  readonly rangesMax: number;
  /** Whether the sender keeps what is acknowledged, and the receiver the ids of what it has handled: the restore window. */
  readonly keeps: boolean;
  readonly rules: Rules;
}

/** One kind of event: answers in which ways it can happen now. Each way is one transaction, or one hand-over to the bus. */
export type Transition = (world: World, limits: Limits) => readonly Happening[];

/** What a copy does when it arrives, in one transaction. Whether it leaves the network is not decided here. */
export type Arrival<Kind extends Copy> = (world: World, copy: Kind, limits: Limits) => Happening;
