import type { RangeSet } from '@pawl/core';
import type { Copy } from './network.js';
import type { PreviousIncarnation } from '../../../libs/messaging/src/protocol/begin-incarnation.js';

/** One stream partition between two services, and everything that any of them remembers about it. Never changed, only replaced. */
export interface World {
  readonly sender: SenderDatabase;
  /** What relays have numbered and not handed to the bus yet: the memory of their processes. */
  readonly relays: readonly (readonly Copy[])[];
  /** A set: equal copies are one, and what is delivered may stay. Sorted by key. */
  readonly network: readonly Copy[];
  readonly receiver: ReceiverDatabase;
  /** What the receiver's process is about to acknowledge: its memory. */
  readonly due: Copy | undefined;
  readonly history: History;
  readonly left: Budget;
  /** Of a mutation that does in two steps what the protocol does in one. */
  readonly halfway: string;
}

/** How often each of these may still happen. What is repeated, reordered, late or lost needs no budget: see {@link World.network}. */
export interface Budget {
  readonly writes: number;
  /** Of a process, with what it remembers. */
  readonly crashes: number;
  /** Questions beyond those that are due. */
  readonly questions: number;
  /** Of the sender's database, without loss. */
  readonly restarts: number;
  readonly senderRestores: number;
  readonly receiverRestores: number;
  readonly waivers: number;
}

/** What no database knows: it is not set back with them. */
export interface History {
  readonly messages: number;
  /** How many incarnations and nonces were made. */
  readonly names: number;
  /** The state of the sender's database: another one after each restart and restore. */
  readonly storage: number;
  readonly senderBackup: SenderDatabase | undefined;
  readonly receiverBackup: ReceiverDatabase | undefined;
  readonly receiverRestores: number;
  /** What the last answered question has told, and to which restore of the receiver: asked again when either has changed. */
  readonly answered: string;
}

export interface SenderDatabase {
  /** Names of all messages whose transaction this database remembers. */
  readonly written: string;
  /** By position. */
  readonly outbox: readonly OutboxRow[];
  readonly stream: OutboxStream | undefined;
  /** Names of messages in the loss ledger. */
  readonly lost: string;
}

export interface OutboxRow {
  readonly message: string;
  readonly sequence: number | undefined;
  /** Acknowledged, and kept for the restore window. */
  readonly kept: boolean;
  readonly waived: boolean;
}

/** The row of `pawl.outbox_stream`. */
export interface OutboxStream {
  readonly incarnation: string;
  readonly storage: number;
  readonly open: boolean;
  readonly nonce: string | undefined;
  readonly previous: PreviousIncarnation | undefined;
  readonly receiver: string | undefined;
  readonly next: number;
  readonly unacknowledged: number;
}

export interface ReceiverDatabase {
  /** Names of messages by what their handlers have written: twice if twice. Sorted. */
  readonly effects: string;
  /** `pawl.inbox_stream`, by incarnation of the sender. */
  readonly streams: readonly InboxStream[];
  /** `pawl.inbox_recent`: ids kept for the restore window. */
  readonly recent: readonly { readonly incarnation: string; readonly message: string }[];
  /** How many numbers were closed without effect because the sender had them no more. */
  readonly lost: number;
}

export interface InboxStream {
  readonly incarnation: string;
  readonly receiver: string;
  readonly closed: RangeSet;
  readonly settled: RangeSet;
  readonly compares: boolean;
}
