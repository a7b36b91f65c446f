import type { Model } from '@pawl/testing';
import { crash, restart, restoreReceiver, restoreSender } from './faults.js';
import type { Happening, Limits, Transition } from './happening.js';
import { atRest, invariants } from './invariants.js';
import { type Copy, remove } from './network.js';
import { acknowledge, takeMessage } from './receiver.js';
import { RULES, type Rules } from './rules.js';
import { number, publish, retransmit, takeAcknowledgement, write } from './sender.js';
import { ask, askNowAndThen, begin, takeAnswer, takeQuestion } from './sessions.js';
import { takeSettled, takeSettlement, waive } from './settlement.js';
import type { Budget, World } from './world.js';
import { keyOf } from './world-key.js';

/** The protocol as it is. A mutation replaces some of it. */
export const PROTOCOL = {
  takeMessage,
  takeAcknowledgement,
  takeQuestion,
  takeAnswer,
  takeSettlement,
  takeSettled,
  write,
  publish,
  acknowledge,
  begin,
  ask,
  number,
  retransmit,
  askNowAndThen,
  waive,
};

export type Protocol = typeof PROTOCOL;

export interface Bounds extends Budget, Omit<Limits, 'rules'> {
  readonly relays: number;
}

const FAULTS: readonly Transition[] = [crash, restart, restoreSender, restoreReceiver];

/** What a mutation puts in the place of parts of the protocol, or beside it. */
export interface Changes {
  readonly rules?: Partial<Rules>;
  readonly protocol?: Partial<Protocol>;
  readonly more?: readonly Transition[];
}

/** The model within bounds, of the protocol or of a mutation of it. */
export function protocolModel(bounds: Bounds, changes: Changes = {}): Model<World, Happening> {
  const limits = { ...bounds, rules: { ...RULES, ...changes.rules } };
  const protocol = { ...PROTOCOL, ...changes.protocol };
  const { publish, acknowledge, begin, ask, number, retransmit, askNowAndThen } = protocol;
  const everything = [protocol.write, publish, acknowledge, begin, ask, number, retransmit, protocol.waive];
  const happenings = (world: World, transitions: readonly Transition[]): Happening[] =>
    transitions.flatMap((transition) => transition(world, limits));
  const more = changes.more ?? [];
  return {
    initial: initial(bounds),
    actions: (world) => [
      ...happenings(world, [...everything, ...more]),
      ...world.network.map((copy) => arrival(protocol, world, copy, limits)),
      ...happenings(world, FAULTS),
    ],
    apply: (_, happening) => happening.after(),
    key: keyOf,
    describe: (happening) => happening.told(),
    invariants: invariants(limits),
    eventually: {
      // In the fair schedule all that is on its way arrives, and is then gone, before anything is sent because it did not.
      next: (world) =>
        happenings(world, [...more, publish, acknowledge])[0] ??
        lastArrival(protocol, world, limits) ??
        happenings(world, [begin, number, ask, retransmit, askNowAndThen])[0],
      atRest,
      worse: ({ network, ...world }) =>
        network.length === 0
          ? undefined
          : { told: 'the bus loses all it has', state: { ...world, network: [] } },
    },
  };
}

function arrival(protocol: Protocol, world: World, copy: Copy, limits: Limits): Happening {
  switch (copy.kind) {
    case 'message':
      return protocol.takeMessage(world, copy, limits);
    case 'acknowledgement':
      return protocol.takeAcknowledgement(world, copy, limits);
    case 'question':
      return protocol.takeQuestion(world, copy, limits);
    case 'answer':
      return protocol.takeAnswer(world, copy, limits);
    case 'settlement':
      return protocol.takeSettlement(world, copy, limits);
    case 'settled':
      return protocol.takeSettled(world, copy, limits);
  }
}

function lastArrival(protocol: Protocol, world: World, limits: Limits): Happening | undefined {
  const [copy] = world.network;
  if (copy === undefined) return undefined;
  return arrival(protocol, { ...world, network: remove(world.network, copy) }, copy, limits);
}

function initial({ relays, ...bounds }: Bounds): World {
  return {
    sender: { written: '', outbox: [], stream: undefined, lost: '' },
    relays: Array.from({ length: relays }, () => []),
    network: [],
    receiver: { effects: '', streams: [], recent: [], lost: 0 },
    due: undefined,
    history: {
      messages: 0,
      names: 0,
      storage: 0,
      senderBackup: undefined,
      receiverBackup: undefined,
      receiverRestores: 0,
      answered: '',
    },
    left: {
      writes: bounds.writes,
      crashes: bounds.crashes,
      questions: bounds.questions,
      restarts: bounds.restarts,
      senderRestores: bounds.senderRestores,
      receiverRestores: bounds.receiverRestores,
      waivers: bounds.waivers,
    },
    halfway: '',
  };
}
