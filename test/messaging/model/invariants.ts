import type { Checks } from '@pawl/testing';
import type { Limits } from './happening.js';
import type { MessageCopy } from './network.js';
import { outOf } from './outbox.js';
import { messagesOf } from './messages.js';
import type { World } from './world.js';

/** What holds at every moment, however the bus and the processes behave. */
export function invariants({ window, rangesMax }: Limits): Checks<World> {
  return {
    'applied at most once': ({ receiver }) => {
      const twice = /(.)\1/.exec(receiver.effects)?.[1];
      return twice && `message ${twice} took effect twice`;
    },
    'a number means one message': (world) => {
      const meanings = new Map<string, string>();
      for (const { key, message } of copiesOf(world)) {
        const number = key.slice(key.indexOf(' '));
        const other = meanings.get(number) ?? message;
        if (other !== message) return `${message}${number} is ${other} too`;
        meanings.set(number, message);
      }
      return undefined;
    },
    'never acknowledged what is not stored': ({ sender, receiver, history }) => {
      // A restore takes back what was stored: then only the rest tells.
      if (history.receiverRestores > 0) return undefined;
      const ended = messagesOf(sender.written).find(
        (message) =>
          !sender.outbox.some((row) => row.message === message && !row.kept) &&
          !receiver.effects.includes(message) &&
          !sender.lost.includes(message),
      );
      return ended && `message ${ended} is acknowledged and was not handled`;
    },
    'a loss took no effect': ({ sender, receiver, history }) => {
      if (history.receiverBackup !== undefined || history.senderBackup !== undefined) return undefined;
      const both = messagesOf(sender.lost).find((message) => receiver.effects.includes(message));
      return both && `message ${both} is in the loss ledger and took effect`;
    },
    'rows bounded': ({ sender, receiver }) => {
      const out = outOf(sender).length;
      if (out > window) return `${out} messages are out, the window is ${window}`;
      const counted = sender.stream?.unacknowledged ?? 0;
      if (counted !== out) return `${out} messages are out, ${counted} are counted`;
      const most = Math.max(0, ...receiver.streams.map(({ closed }) => closed.rangeCount));
      return most > rangesMax + 1
        ? `a row of the receiver has ${most} ranges, at most ${rangesMax + 1} may be`
        : undefined;
    },
  };
}

/** What holds when nothing is left to do. */
export const atRest: Checks<World> = {
  'eventually applied': ({ sender, receiver }) => {
    const missing = messagesOf(sender.written).find(
      (message) => !receiver.effects.includes(message) && !sender.lost.includes(message),
    );
    return missing && `message ${missing} never took effect`;
  },
  'no rows at rest': ({ sender, receiver }) => {
    const rows = sender.outbox.filter(({ kept }) => !kept);
    if (rows.length > 0) return `message ${rows[0]?.message} stays in the outbox`;
    const gaps = receiver.streams.find(
      ({ incarnation, closed }) => incarnation === sender.stream?.incarnation && closed.rangeCount > 1,
    );
    return gaps && `the receiver keeps ${gaps.closed.toString()}`;
  },
};

/** Every copy that somebody has or may get. */
function copiesOf({ relays, network }: World): MessageCopy[] {
  return [...relays.flat(), ...network].filter((copy) => copy.kind === 'message');
}
