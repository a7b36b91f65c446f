import { RangeSet } from '@pawl/core';
import { CALM } from './bounds.js';
import type { Transition } from './happening.js';
import { isOpen } from './incarnations.js';
import { copies, type MessageCopy, name, send } from './network.js';
import { outOf } from './outbox.js';
import { type Bounds, type Changes, PROTOCOL } from './protocol-model.js';
import { RULES } from './rules.js';
import { withEffect } from './messages.js';
import type { World } from './world.js';

/** A protocol that is wrong in one place. */
export interface Mutation extends Changes {
  /** The execution of the list of faults that it allows. */
  readonly execution?: string;
  readonly bounds: Partial<Bounds>;
  /** What notices it. */
  readonly breaks: string;
}

const ONE = { ...CALM, writes: 1 };
const ONE_RESTORED = { ...ONE, senderRestores: 1 };

/** By what is wrong. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'marks below the watermark are pruned by time': {
    execution: 'D6',
    bounds: ONE,
    more: [
      (world) =>
        world.receiver.streams
          .filter(({ closed }) => closed.size > 0 && world.halfway === '')
          .map((stream) => ({
            told: () => 'the receiver prunes its marks',
            after: () => ({
              ...world,
              halfway: 'pruned',
              receiver: { ...world.receiver, streams: [{ ...stream, closed: RangeSet.empty }] },
            }),
          })),
    ],
    breaks: 'applied at most once',
  },
  'a number is checked before the lock and marked under it': {
    execution: 'D6',
    bounds: ONE,
    more: [
      (world, limits) =>
        world.network
          .filter((copy) => copy.kind === 'message')
          .flatMap((copy) =>
            world.halfway === copy.key
              ? PROTOCOL.takeMessage(unmarked(world, copy), copy, limits)
              : looked(world, copy),
          ),
    ],
    breaks: 'applied at most once',
  },
  'a number is marked in a transaction before that of the handler': {
    bounds: ONE,
    protocol: {
      takeMessage: (world, copy, limits) => {
        const { told, after } = PROTOCOL.takeMessage(world, copy, limits);
        return {
          told: () => `${told()}, marked only`,
          after: () => {
            const marked = after();
            const fresh = marked.receiver.effects !== world.receiver.effects;
            const receiver = { ...marked.receiver, effects: world.receiver.effects };
            return fresh ? { ...marked, receiver, halfway: copy.message } : marked;
          },
        };
      },
    },
    more: [
      (world) =>
        world.halfway === ''
          ? []
          : [
              {
                told: () => `the receiver dies before it handles ${world.halfway}`,
                after: () => ({ ...world, halfway: '' }),
              },
            ],
    ],
    breaks: 'never acknowledged what is not stored',
  },
  'a message is acknowledged before it is handled': {
    bounds: ONE,
    protocol: {
      takeMessage: (world, copy) => {
        const stream = world.receiver.streams.find(({ incarnation }) => incarnation === copy.incarnation);
        return {
          told: () => `${copy.key} arrives, is acknowledged, and its handler throws`,
          after: () => {
            if (stream === undefined) return world;
            const early = copies.acknowledgement({ ...stream, closed: stream.closed.add(copy.sequence) });
            return { ...world, network: send(world.network, early) };
          },
        };
      },
    },
    breaks: 'never acknowledged what is not stored',
  },
  'numbers are published before they are committed': {
    execution: 'D7',
    bounds: {},
    more: [publishUncommitted],
    breaks: 'a number means one message',
  },
  'two relays number without the lock': {
    bounds: {},
    more: [numberLate],
    breaks: 'a number means one message',
  },
  'a row is deleted when it is published': {
    bounds: ONE,
    protocol: {
      number: (world, limits) =>
        PROTOCOL.number(world, limits).map(({ told, after }) => ({
          told: () => `${told()}, and deletes it`,
          after: () => {
            const numbered = after();
            const { stream } = numbered.sender;
            if (stream === undefined) return numbered;
            return {
              ...numbered,
              sender: { ...numbered.sender, outbox: [], stream: { ...stream, unacknowledged: 0 } },
            };
          },
        })),
    },
    breaks: 'never acknowledged what is not stored',
  },
  'nothing is published again': {
    bounds: ONE,
    rules: { countsAsLost: () => false },
    breaks: 'eventually applied',
  },
  'the window is not bounded': {
    execution: 'D20',
    bounds: { window: 1 },
    rules: { numbersToGive: ({ open }) => (open ? 9 : 0) },
    breaks: 'rows bounded',
  },
  'the set of closed numbers is not bounded': {
    bounds: { writes: 3, window: 3, rangesMax: 0 },
    rules: { judgeArrival: (view, message) => RULES.judgeArrival(view, message, { rangesMax: 9 }) },
    breaks: 'rows bounded',
  },
  'a restored sender goes on with its incarnation': {
    execution: 'D8',
    bounds: { writes: 3, senderRestores: 1 },
    rules: { mustBeginAnew: () => false },
    breaks: 'never acknowledged what is not stored',
  },
  'an incarnation is a counter, which a restore sets back too': {
    execution: 'D8',
    bounds: { senderRestores: 1 },
    rules: {
      beginIncarnation: (sender, options) => {
        const { previous } = RULES.beginIncarnation(sender, options);
        return { previous, incarnation: name(countOf(sender.incarnation) + 1) };
      },
    },
    breaks: 'never acknowledged what is not stored',
  },
  'numbers are given before the session is open': {
    execution: 'D29',
    bounds: ONE_RESTORED,
    rules: {
      numbersToGive: (numbering, limits) => RULES.numbersToGive({ ...numbering, open: true }, limits),
    },
    breaks: 'rows bounded',
  },
  'copies of an older session are taken': {
    execution: 'D29',
    bounds: { restarts: 1 },
    rules: {
      judgeArrival: (view, message, limits) =>
        RULES.judgeArrival({ ...view, superseded: false }, message, limits),
    },
    breaks: 'applied at most once',
  },
  'an acknowledgement counts whatever numbers it speaks of': {
    bounds: { restarts: 1 },
    rules: {
      judgeAcknowledgement: (claim, sender) =>
        RULES.judgeAcknowledgement(
          { ...claim, incarnation: sender.incarnation, receiver: sender.receiver ?? '' },
          sender,
        ),
    },
    breaks: 'never acknowledged what is not stored',
  },
  'an acknowledgement counts whatever past of the receiver it comes from': {
    execution: 'D9',
    bounds: { ...ONE, receiverRestores: 1 },
    rules: {
      judgeAcknowledgement: (claim, sender) =>
        RULES.judgeAcknowledgement({ ...claim, receiver: sender.receiver ?? claim.receiver }, sender),
    },
    breaks: 'eventually applied',
  },
  'a receiver that was set back keeps its incarnation': {
    execution: 'D9',
    bounds: { ...ONE, receiverRestores: 1 },
    rules: {
      answerQuestion: (question, known, fresh) => {
        const answering = RULES.answerQuestion(question, known, fresh);
        const own = known.find(({ incarnation }) => incarnation === question.incarnation);
        if (!own || !answering.stream) return answering;
        const { receiver } = own;
        return {
          ...answering,
          answer: { ...answering.answer, receiver },
          stream: { ...answering.stream, receiver },
        };
      },
    },
    breaks: 'eventually applied',
  },
  'what a receiver has lost again is not sent again': {
    bounds: { ...ONE, receiverRestores: 1 },
    rules: { toSendAgain: () => [] },
    breaks: 'eventually applied',
  },
  'ids are not compared when the sender was set back': {
    execution: 'D8',
    bounds: ONE_RESTORED,
    rules: {
      answerQuestion: (...given) => ({ ...RULES.answerQuestion(...given), compares: false }),
    },
    breaks: 'applied at most once',
  },
  'all is sent again under new numbers after a restart': {
    bounds: { ...ONE, restarts: 1 },
    rules: { carryOver: (rows) => ({ done: [], unseen: [], again: rows }) },
    breaks: 'applied at most once',
  },
  'a waived message is a loss without asking': {
    execution: 'D10',
    bounds: { ...ONE, waivers: 1 },
    protocol: {
      waive: (world, limits) =>
        PROTOCOL.waive(world, limits).map(({ told, after }) => ({
          told,
          after: () => {
            const { sender, ...rest } = after();
            const given = sender.outbox.filter(({ waived }) => waived);
            const outbox = sender.outbox.filter(({ waived }) => !waived);
            const { stream } = sender;
            const out = outOf({ ...sender, outbox }).length;
            return {
              ...rest,
              sender: {
                ...sender,
                outbox,
                stream: stream && { ...stream, unacknowledged: out },
                lost: given.map(({ message }) => message).join(''),
              },
            };
          },
        })),
    },
    breaks: 'a loss took no effect',
  },
  'a settlement does not close the number': {
    execution: 'D10',
    bounds: { ...ONE, waivers: 1 },
    rules: { settle: (...given) => ({ ...RULES.settle(...given), closing: [] }) },
    breaks: 'a loss took no effect',
  },
  'an acknowledgement ends a waived message': {
    execution: 'D10',
    bounds: { ...ONE, waivers: 1, keeps: false },
    rules: { endsWith: (closed, { sequence }) => closed.has(sequence) },
    breaks: 'never acknowledged what is not stored',
  },
  'the feed has an offset of its own': {
    execution: 'D24',
    bounds: ONE,
    more: [
      (world, { rules }) => {
        const { stream } = world.sender;
        if (stream === undefined || !isOpen(stream, world.history, rules)) return [];
        return outOf(world.sender)
          .filter(({ sequence }) => sequence === world.halfway.length)
          .map(({ message }) => ({
            told: () => `the receiver pulls ${message} and moves its offset`,
            after: () => ({
              ...world,
              halfway: `${world.halfway}.`,
              receiver: { ...world.receiver, effects: withEffect(world.receiver.effects, message) },
            }),
          }));
      },
    ],
    breaks: 'applied at most once',
  },
};

/** A second process sees that a number is open. */
function looked(world: World, copy: MessageCopy): ReturnType<Transition> {
  const stream = world.receiver.streams.find(({ incarnation }) => incarnation === copy.incarnation);
  if (world.halfway !== '' || stream === undefined || stream.closed.has(copy.sequence)) return [];
  return [
    {
      told: () => `a second process of the receiver sees that ${copy.key} is not closed`,
      after: () => ({ ...world, halfway: copy.key }),
    },
  ];
}

/** As a process sees it that has looked before: the number was open then. */
function unmarked(world: World, copy: MessageCopy): World {
  if (world.halfway !== copy.key) return world;
  return {
    ...world,
    halfway: 'done',
    receiver: {
      ...world.receiver,
      streams: world.receiver.streams.map((each) => ({
        ...each,
        closed: each.closed.minus(RangeSet.of(copy.sequence)),
      })),
    },
  };
}

/** A relay publishes under the number that it is about to commit, and dies. */
function publishUncommitted(world: World, limits: Parameters<Transition>[1]): ReturnType<Transition> {
  const { stream, outbox } = world.sender;
  if (stream === undefined || !isOpen(stream, world.history, limits.rules) || world.halfway !== '') return [];
  return outbox
    .filter(({ sequence }) => sequence === undefined)
    .map(({ message }) => {
      const copy = copies.message(message, stream.incarnation, stream.next);
      return {
        told: () => `a relay publishes ${copy.key} and dies before it commits the number`,
        after: () => ({ ...world, halfway: 'dead', network: send(world.network, copy) }),
      };
    });
}

/** A second relay reads the next number and gives it later, whatever was given in between. */
function numberLate(world: World, limits: Parameters<Transition>[1]): ReturnType<Transition> {
  const { stream } = world.sender;
  if (stream === undefined || !isOpen(stream, world.history, limits.rules)) return [];
  if (world.halfway === '')
    return [
      {
        told: () => `a second relay reads ${stream.next} as the next number`,
        after: () => ({ ...world, halfway: String(stream.next) }),
      },
    ];
  if (world.halfway === 'done') return [];
  const late = { ...stream, next: Number(world.halfway) };
  const before = { ...world, halfway: 'done', sender: { ...world.sender, stream: late } };
  return PROTOCOL.number(before, limits).map(({ told, after }) => ({
    told: () => `late, ${told()}`,
    after,
  }));
}

function countOf(incarnation: string): number {
  return incarnation === '' ? 0 : Number.parseInt(incarnation.slice(0, 8), 16);
}
