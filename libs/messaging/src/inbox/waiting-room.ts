import type { RangeSet } from '@pawl/core';
import type { Envelope } from '../envelope.js';
import { type InboxPartition, partitionName } from './inbox-stream.js';

/** A message whose predecessor of the same key is not closed yet. */
export interface Early {
  readonly envelope: Envelope;
  readonly suspect: boolean;
  /** How often it has left this room in vain. */
  readonly looks: number;
}

export interface WaitingRoomOptions {
  /** Most that wait at a time; the one that has waited longest gives way. */
  readonly waitingMax: number;
  /** Its turn has come, or may have. */
  readonly again: (early: Early) => void;
}

/** From the first look to the second; doubles each time. Milliseconds. */
const FIRST_LOOK_MS = 25;
/** By then its sender has sent it again; it stays, but looks no more. */
const LOOKS_MAX = 6;

/**
 * Keeps messages that came before their predecessor until that is closed, so that disorder on the way does not cost an interval of
 * retransmission. In memory only and bounded: to its sender such a message is open, and what is lost here comes again. The predecessor
 * may also be closed by another process, so each looks for itself now and then.
 */
export class WaitingRoom {
  private readonly waiting = new Map<string, Early & { readonly timer: NodeJS.Timeout | undefined }>();

  private open = true;

  constructor(private readonly options: WaitingRoomOptions) {}

  get size(): number {
    return this.waiting.size;
  }

  keep(early: Early): void {
    const key = keyOf(early.envelope);
    const [oldest] = this.waiting.keys();
    if (this.waiting.has(key) || !this.open) return;
    if (oldest !== undefined && this.waiting.size >= this.options.waitingMax) this.release(oldest, undefined);
    const { looks } = early;
    const look = (): void => this.release(key, { ...early, looks: looks + 1 });
    const timer = looks < LOOKS_MAX ? setTimeout(look, FIRST_LOOK_MS * 2 ** looks).unref() : undefined;
    this.waiting.set(key, { ...early, timer });
  }

  /** Lets those go whose predecessor is closed. */
  closed(partition: InboxPartition, closed: RangeSet): void {
    if (this.waiting.size === 0) return;
    const name = partitionName(partition);
    for (const [key, { timer: _, ...early }] of this.waiting) {
      const { previous } = early.envelope;
      if (partitionName(early.envelope) === name && previous !== undefined && closed.has(previous))
        this.release(key, early);
    }
  }

  close(): void {
    this.open = false;
    for (const key of this.waiting.keys()) this.release(key, undefined);
  }

  private release(key: string, again: Early | undefined): void {
    clearTimeout(this.waiting.get(key)?.timer);
    this.waiting.delete(key);
    if (again !== undefined) this.options.again(again);
  }
}

function keyOf(envelope: Envelope): string {
  return `${partitionName(envelope)}/${envelope.sequence}`;
}
