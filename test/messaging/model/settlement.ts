import { RangeSet } from '@pawl/core';
import type { Arrival, Transition } from './happening.js';
import { copies, type SettledCopy, type SettlementCopy, send } from './network.js';
import { recentIds, withStream } from './receiver.js';

/** A person waives a message that is not acknowledged. Copies may be in flight. */
export const waive: Transition = (world) => {
  const { sender, left } = world;
  if (left.waivers === 0) return [];
  return sender.outbox
    .filter(({ kept, waived }) => !kept && !waived)
    .map((row) => ({
      told: () => `a person waives ${row.message}`,
      after: () => ({
        ...world,
        left: { ...left, waivers: left.waivers - 1 },
        sender: {
          ...sender,
          outbox: sender.outbox.map((each) => (each === row ? { ...row, waived: true } : each)),
        },
      }),
    }));
};

/** `SettlementAnswerer`: closes what it has not seen, under the lock of the partition's row. */
export const takeSettlement: Arrival<SettlementCopy> = (world, copy, { rangesMax, rules }) => {
  const { receiver } = world;
  const { incarnation, sequence, message } = copy;
  const stream = receiver.streams.find((each) => each.incarnation === incarnation);
  const superseded = receiver.streams.some((each) => each.incarnation > incarnation);
  if (stream === undefined || superseded)
    return { told: () => `${copy.key} arrives in vain`, after: () => world };
  const { handled, unseen, closing } = rules.settle(stream, [sequence], { rangesMax });
  const recognised = stream.compares && recentIds(receiver, incarnation).includes(message);
  const late = RangeSet.of(...handled, ...(recognised ? unseen : []));
  const never = RangeSet.of(...unseen).minus(late);
  const closed = stream.closed.union(RangeSet.of(...closing));
  const settled = stream.settled.union(RangeSet.of(...closing).minus(late));
  const answer = copies.settled({ incarnation, receiver: stream.receiver, handled: late, unseen: never });
  return {
    told: () => `the receiver gets the ${copy.key}, and sends its ${answer.key}`,
    after: () => ({
      ...world,
      network: send(world.network, answer),
      receiver: closing.length > 0 ? withStream(receiver, { ...stream, closed, settled }) : receiver,
    }),
  };
};

/** `Settlements`: a waived message is done, or enters the loss ledger; either way its row goes. */
export const takeSettled: Arrival<SettledCopy> = (
  world,
  { key, incarnation, receiver, handled, unseen },
  { rules },
) => {
  const { sender } = world;
  const { stream } = sender;
  const claim = { incarnation, receiver, closed: handled.union(unseen) };
  const verdict = stream && rules.judgeAcknowledgement(claim, { ...stream, nextSequence: stream.next });
  const ended = sender.outbox.filter(
    ({ waived, sequence }) => waived && sequence !== undefined && claim.closed.has(sequence),
  );
  return {
    told: () => `the sender gets the ${key}: ${verdict}`,
    after: () => {
      if (stream === undefined || verdict !== 'apply' || ended.length === 0) return world;
      const losses = ended.filter(({ sequence }) => unseen.has(sequence as number));
      return {
        ...world,
        sender: {
          ...sender,
          outbox: sender.outbox.filter((row) => !ended.includes(row)),
          lost: sender.lost + losses.map(({ message }) => message).join(''),
          stream: { ...stream, unacknowledged: stream.unacknowledged - ended.length },
        },
      };
    },
  };
};
