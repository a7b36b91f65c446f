import { RangeSet } from '@pawl/core';
import type { Arrival, Transition } from './happening.js';
import { copies, type MessageCopy, name, send } from './network.js';
import { withEffect } from './messages.js';
import type { InboxStream, ReceiverDatabase } from './world.js';

/** `StreamBatch`: sorts, handles and closes, in one transaction under the lock of the partition's row. */
export const takeMessage: Arrival<MessageCopy> = (world, copy, { rangesMax, keeps, rules }) => {
  const { receiver, history } = world;
  const { incarnation, message, sequence } = copy;
  const known = receiver.streams.find((each) => each.incarnation === incarnation);
  const stream = known ?? {
    ...opened(incarnation, name(history.names + 1)),
    compares: receiver.streams.length > 0,
  };
  const superseded = receiver.streams.some((each) => each.incarnation > incarnation);
  // Ids are compared only while messages may come again under other numbers.
  const seen = new Set(stream.compares ? recentIds(receiver, incarnation) : []);
  const arrival = rules.judgeArrival(
    { closed: stream.closed, superseded, seen },
    { id: message, sequence },
    { rangesMax },
  );
  return {
    told: () => `${copy.key} arrives: ${arrival}`,
    after: () => {
      if (arrival === 'superseded') return world;
      const closes = arrival === 'fresh' || arrival === 'recognised';
      const after = closes ? { ...stream, closed: stream.closed.add(sequence) } : stream;
      const noted = copies.acknowledgement(after);
      const atOnce = world.relays.length === 0;
      if (!closes && (atOnce ? send(world.network, noted) === world.network : world.due?.key === noted.key))
        return world;
      return {
        ...world,
        network: atOnce ? send(world.network, noted) : world.network,
        history: known ? history : { ...history, names: history.names + 1 },
        due: atOnce ? undefined : noted,
        receiver: {
          ...withStream(receiver, after),
          recent: closes && keeps ? [...receiver.recent, { incarnation, message }] : receiver.recent,
          effects: arrival === 'fresh' ? withEffect(receiver.effects, message) : receiver.effects,
        },
      };
    },
  };
};

/** The receiver's process sends what it has noted. */
export const acknowledge: Transition = (world) => {
  const { due } = world;
  if (due === undefined) return [];
  return [
    {
      told: () => `the receiver sends its ${due.key}`,
      after: () => ({ ...world, due: undefined, network: send(world.network, due) }),
    },
  ];
};

/** What was closed under other incarnations, as far as the restore window goes back. */
export function recentIds({ recent }: ReceiverDatabase, incarnation: string): string[] {
  return recent.filter((each) => each.incarnation !== incarnation).map(({ message }) => message);
}

function opened(incarnation: string, receiver: string): InboxStream {
  return { incarnation, receiver, closed: RangeSet.empty, settled: RangeSet.empty, compares: false };
}

export function withStream(receiver: ReceiverDatabase, stream: InboxStream): ReceiverDatabase {
  const others = receiver.streams.filter(({ incarnation }) => incarnation !== stream.incarnation);
  return { ...receiver, streams: [...others, stream] };
}
