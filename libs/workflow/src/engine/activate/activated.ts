import type { Slots } from '@pawl/core';
import type { Definition } from '../../model/definition.js';
import type { Claim } from '../../store/claims.js';
import type { Held } from './lease-keeper.js';

/** A claimed run with what is known of it, as the parts of an activation hand it around. */
export interface Activated {
  readonly definition: Definition;
  readonly held: Held;
  /** The newest that this process knows; replaced by each commit. */
  claim: Claim;
  /** Somebody else has written the run since: it is read again before anything new is begun. */
  outdated: boolean;
  /** After a step has thrown in a shared transaction, and for a run whose last claim made no progress: one transaction each. */
  oneByOne: boolean;
  /** One commit of this run at a time, so that each knows what the one before it has done. */
  readonly closing: Slots;
  /** What is at work now, by name. */
  readonly atWork: ReadonlyMap<string, unknown>;
}
