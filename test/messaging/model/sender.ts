import type { Arrival, Transition } from './happening.js';
import { begun, isCurrent, isOpen } from './incarnations.js';
import { type AcknowledgementCopy, send } from './network.js';
import { close, copyOf, outOf } from './outbox.js';

/** A transaction of the application writes a message. */
export const write: Transition = (world) => {
  const { sender, left, history } = world;
  if (left.writes === 0) return [];
  // Names are never used again, whatever a restore takes back.
  const message = 'abcdefgh'[history.messages] ?? '';
  const row = { message, sequence: undefined, kept: false, waived: false };
  return [
    {
      told: () => `the application commits message ${message}`,
      after: () => ({
        ...world,
        left: { ...left, writes: left.writes - 1 },
        history: { ...history, messages: history.messages + 1 },
        sender: { ...sender, written: sender.written + message, outbox: [...sender.outbox, row] },
      }),
    },
  ];
};

/** `OutboxRelay`: numbers as many as the window takes, in one transaction under the lock of the partition's row. */
export const number: Transition = (world, { window, rules }) => {
  const { sender, relays, history } = world;
  const { stream, outbox } = sender;
  if (stream === undefined || !isCurrent(stream, history, rules)) return [];
  const give = rules.numbersToGive(stream, { window, atOnce: window });
  const free = relays.findIndex((batch) => batch.length === 0);
  const atOnce = relays.length === 0;
  const chosen = outbox.filter(({ sequence, kept }) => sequence === undefined && !kept).slice(0, give);
  if (chosen.length === 0 || (free < 0 && !atOnce)) return [];
  const batch = chosen.map((row, n) => copyOf({ ...row, sequence: stream.next + n }, stream));
  return [
    {
      told: () =>
        `a relay commits ${batch.map(({ key }) => key).join(', ')}${atOnce ? ' and publishes it' : ''}`,
      after: () => ({
        ...world,
        relays: relays.map((each, n) => (n === free ? batch : each)),
        network: atOnce ? batch.reduce(send, world.network) : world.network,
        sender: {
          ...sender,
          outbox: outbox.map((row) =>
            chosen.includes(row) ? { ...row, sequence: stream.next + chosen.indexOf(row) } : row,
          ),
          stream: {
            ...stream,
            next: stream.next + chosen.length,
            unacknowledged: stream.unacknowledged + chosen.length,
          },
        },
      }),
    },
  ];
};

/** A relay hands the next of its batch to the bus: at once, or an hour later. */
export const publish: Transition = (world) =>
  world.relays.flatMap(([copy, ...rest], relay) =>
    copy === undefined
      ? []
      : {
          told: () => `relay ${relay + 1} publishes ${copy.key}`,
          after: () => ({
            ...world,
            relays: world.relays.map((batch, n) => (n === relay ? rest : batch)),
            network: send(world.network, copy),
          }),
        },
  );

/** `Retransmitter`: publishes again what counts as lost; when that is the clock decides, so it may be at any time. */
export const retransmit: Transition = (world, { rules }) => {
  const { stream } = world.sender;
  if (stream === undefined) return [];
  const progress = { open: isOpen(stream, world.history, rules), acknowledgedEnd: 0, stalled: true };
  return outOf(world.sender)
    .filter(({ sequence }) => rules.countsAsLost({ sequence, due: true }, progress))
    .flatMap((row) => {
      const copy = copyOf(row, stream);
      const network = send(world.network, copy);
      // An equal copy is on its way anyhow.
      if (network === world.network) return [];
      return { told: () => `the sender publishes ${copy.key} again`, after: () => ({ ...world, network }) };
    });
};

/** `Acknowledgements`: what is covered is done and the window opens, in one transaction under the lock of the partition's row. */
export const takeAcknowledgement: Arrival<AcknowledgementCopy> = (world, { key, claim }, limits) => {
  const { rules } = limits;
  const { sender, history } = world;
  const { stream } = sender;
  const verdict =
    stream &&
    rules.judgeAcknowledgement(claim, {
      incarnation: stream.incarnation,
      nextSequence: stream.next,
      receiver: stream.receiver,
    });
  return {
    told: () => `the sender gets the ${key}: ${verdict}`,
    after: () => {
      if (stream === undefined) return world;
      if (verdict === 'apply') return { ...world, sender: close(sender, stream, claim.closed, limits) };
      if (verdict === 'never-sent')
        return begun(world, stream, { numbersReused: isOpen(stream, history, rules) }, rules);
      // It is asked at once.
      return verdict === 'newer-receiver' ? { ...world, history: { ...history, answered: '' } } : world;
    },
  };
};
