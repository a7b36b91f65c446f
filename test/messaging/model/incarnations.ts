import type { Rules } from './rules.js';
import { name } from './network.js';
import type { History, OutboxStream, World } from './world.js';

export const FRESH: OutboxStream = {
  incarnation: '',
  storage: 0,
  open: false,
  nonce: undefined,
  previous: undefined,
  receiver: undefined,
  next: 0,
  unacknowledged: 0,
};

/** Whether numbers may be given. */
export function isOpen(stream: OutboxStream, history: History, rules: Rules): boolean {
  return stream.open && isCurrent(stream, history, rules);
}

/** Whether the session belongs to this very state of the database. */
export function isCurrent(stream: OutboxStream, { storage }: History, { mustBeginAnew }: Rules): boolean {
  return !mustBeginAnew(claimOf(stream), String(storage));
}

export function claimOf({
  incarnation,
  next,
  previous,
  storage,
}: OutboxStream): Parameters<Rules['mustBeginAnew']>[0] {
  return { incarnation, nextSequence: next, previous, storage: String(storage) };
}

/** A new incarnation, with its question not asked yet. */
export function begun(
  world: World,
  stream: OutboxStream,
  { numbersReused, newest }: { numbersReused: boolean; newest?: string },
  { beginIncarnation }: Rules,
): World {
  const { sender, history } = world;
  const fresh = name(history.names + 1);
  const anew = beginIncarnation(claimOf(stream), { fresh, numbersReused, ...(newest && { newest }) });
  const outbox = numbersReused
    ? sender.outbox.filter(({ kept }) => !kept).map((row) => ({ ...row, sequence: undefined }))
    : sender.outbox;
  return {
    ...world,
    history: { ...history, names: history.names + 2 },
    sender: {
      ...sender,
      outbox,
      stream: { ...FRESH, ...anew, storage: history.storage, nonce: name(history.names + 2) },
    },
  };
}
