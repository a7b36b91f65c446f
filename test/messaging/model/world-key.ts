import type { ReceiverDatabase, SenderDatabase, World } from './world.js';

/** Equal for worlds that can not be told apart by anything that happens later. Relays are alike. */
export function keyOf({ sender, relays, network, receiver, due, history, left, halfway }: World): string {
  const { names, storage, senderBackup, receiverBackup, receiverRestores, answered } = history;
  return [
    senderKey(sender),
    relays
      .map((batch) => batch.map(({ key }) => code(key)).join('+'))
      .sort()
      .join('|'),
    network.map((copy) => code(copy.kind === 'answer' ? copy.key + copy.told : copy.key)).join('+'),
    receiverKey(receiver),
    due && code(due.key),
    names,
    storage,
    senderBackup && senderKey(senderBackup),
    receiverBackup && receiverKey(receiverBackup),
    receiverRestores,
    code(answered),
    Object.values(left).join(''),
    halfway,
  ].join();
}

const senderKey = remembered(({ written, outbox, stream, lost }: SenderDatabase): string => {
  const rows = outbox.map(
    ({ message, sequence, kept, waived }) =>
      `${message}${sequence ?? ''}${kept ? 'k' : ''}${waived ? 'w' : ''}`,
  );
  return `${written};${rows.join()};${lost};${stream ? streamKey(stream) : ''}`;
});

const receiverKey = remembered(({ effects, streams, recent, lost }: ReceiverDatabase): string => {
  const rows = streams.map(
    ({ incarnation, receiver, closed, settled, compares }) =>
      `${incarnation}<${receiver}${closed.toString()}${settled.toString()}${compares}`,
  );
  return `${effects};${lost};${rows.sort().join()};${recent
    .map(({ incarnation, message }) => incarnation + message)
    .sort()
    .join()}`;
});

function streamKey(stream: NonNullable<SenderDatabase['stream']>): string {
  const { incarnation, storage, open, nonce, previous, receiver, next, unacknowledged } = stream;
  return `${incarnation},${storage},${open},${nonce},${previous?.incarnation},${previous?.nextSequence},${receiver},${next},${unacknowledged}`;
}

/** Databases are replaced, never changed, and most actions leave one of the two as it is. */
function remembered<Part extends object>(toText: (part: Part) => string): (part: Part) => string {
  const known = new WeakMap<Part, string>();
  return (part) => {
    const before = known.get(part);
    if (before !== undefined) return before;
    const key = code(toText(part));
    known.set(part, key);
    return key;
  };
}

const codes = new Map<string, string>();

/** A short word for a long one: the same for the same. */
function code(text: string): string {
  const known = codes.get(text) ?? codes.size.toString(36);
  codes.set(text, known);
  return known;
}
