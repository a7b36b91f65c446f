import { RangeSet } from '@pawl/core';
import type { Arrival, Happening, Limits, Transition } from './happening.js';
import { type AnswerCopy, copies, name, type QuestionCopy, send } from './network.js';
import { withStream } from './receiver.js';
import type { Rules } from './rules.js';
import { begun, claimOf, FRESH, isCurrent } from './incarnations.js';
import { close, type Numbered } from './outbox.js';
import type { History, SenderDatabase, World } from './world.js';

/** A relay finds that its partition has no session on this state of the database, and begins one. */
export const begin: Transition = (world, { rules }) => {
  const { sender, history } = world;
  const { stream } = sender;
  if (stream === undefined) {
    if (!sender.outbox.some(({ sequence }) => sequence === undefined)) return [];
    return [
      {
        told: () => 'a relay opens the partition',
        after: () => begun(world, FRESH, { numbersReused: false }, rules),
      },
    ];
  }
  if (!rules.mustBeginAnew(claimOf(stream), String(history.storage))) return [];
  return [
    {
      told: () => 'a relay finds itself on another state of the database and begins a new incarnation',
      after: () => begun(world, stream, { numbersReused: false }, rules),
    },
  ];
};

/** The sender asks what is closed: until it is answered, and when a receiver it does not know has acknowledged something. */
export const ask: Transition = (world, setting) => {
  const { answered, receiverRestores } = world.history;
  const due = world.sender.stream?.nonce !== undefined || !answered.endsWith(`/${receiverRestores}`);
  return asked(world, setting, { due });
};

/** The same, now and then while all is well: then no restore goes unnoticed for ever. */
export const askNowAndThen: Transition = (world, setting) =>
  asked(world, setting, { due: world.history.answered !== toldBy(world.sender, world.history) });

function asked(world: World, { rules }: Limits, { due }: { due: boolean }): readonly Happening[] {
  const { sender, history, left } = world;
  const { stream } = sender;
  if (stream === undefined || !isCurrent(stream, history, rules)) return [];
  if (!due && left.questions === 0) return [];
  const nonce = stream.nonce ?? name(history.names + 1);
  const { incarnation, previous, receiver } = stream;
  const question = copies.question({
    ...ADDRESS,
    incarnation,
    nonce,
    ...(previous && { previous }),
    ...(receiver && { receiver }),
    acknowledged: acknowledgedOf(sender),
    gone: goneOf(sender),
  });
  const network = send(world.network, question);
  // The same question is on its way anyhow.
  if (network === world.network) return [];
  return [
    {
      told: () => `the sender asks: ${question.key}`,
      after: () => ({
        ...world,
        network,
        left: due ? left : { ...left, questions: left.questions - 1 },
        history: stream.nonce === undefined ? { ...history, names: history.names + 1 } : history,
        sender: { ...sender, stream: { ...stream, nonce } },
      }),
    },
  ];
}

/** The sender takes an answer in, in one transaction under the lock of the partition's row. */
export const takeAnswer: Arrival<AnswerCopy> = (world, { key, answer, told }, limits) => {
  const { rules } = limits;
  const { sender, history } = world;
  const { stream } = sender;
  const judged = stream && rules.judgeAnswer(answer, { ...stream, nextSequence: stream.next });
  return {
    told: () => `the sender gets the ${key}: ${judged?.verdict}`,
    after: () => {
      if (stream === undefined || judged === undefined || judged.verdict === 'stale') return world;
      // On another state of the database even the nonce may be one of the past.
      if (!isCurrent(stream, history, rules)) return world;
      if (judged.verdict !== 'open')
        return begun(world, stream, { numbersReused: stream.open, newest: answer.newest }, rules);
      const carry = stream.open ? (each: SenderDatabase) => each : carried;
      const carriedOver = carry(sender, answer, rules);
      const ready = judged.receiverIsNew ? takenBack(carriedOver, answer.closed, rules) : carriedOver;
      const after = {
        ...stream,
        open: true,
        nonce: undefined,
        previous: undefined,
        receiver: answer.receiver,
      };
      return {
        ...world,
        sender: close(ready, after, answer.closed, limits),
        history: { ...history, answered: told },
      };
    },
  };
};

/** What a question would tell now, and to which past of the receiver. */
export function toldBy(sender: SenderDatabase, { receiverRestores }: History): string {
  return `${sender.stream?.incarnation}/${acknowledgedOf(sender).toString()}/${goneOf(sender).toString()}/${receiverRestores}`;
}

/** Opens or confirms a session, in one transaction under the locks of all rows of the partition. */
export const takeQuestion: Arrival<QuestionCopy> = (world, { key, question }, { rules }) => {
  const { receiver, history } = world;
  const fresh = name(history.names + 1);
  const answering = rules.answerQuestion(question, receiver.streams, fresh);
  const { stream, lost, compares } = answering;
  // The receiver takes no name for an answer that opens nothing.
  const answer = stream ? answering.answer : { ...answering.answer, receiver: name(0) };
  const known = receiver.streams.find(({ incarnation }) => incarnation === stream?.incarnation);
  const told = `${question.incarnation}/${question.acknowledged.toString()}/${question.gone.toString()}/${history.receiverRestores}`;
  const copy = copies.answer(answer, told);
  return {
    told: () => `the receiver gets ${key} and sends ${copy.key}`,
    after: () => ({
      ...world,
      network: send(world.network, copy),
      history: answer.receiver === fresh ? { ...history, names: history.names + 1 } : history,
      receiver: {
        ...(stream ? withStream(receiver, { ...stream, compares: known?.compares ?? compares }) : receiver),
        lost: receiver.lost + lost.size,
      },
    }),
  };
};

const ADDRESS = { stream: 'orders.shipping', partition: 0 };

/** The messages of the incarnation before: done, or to be numbered anew. */
function carried(sender: SenderDatabase, answer: AnswerCopy['answer'], { carryOver }: Rules): SenderDatabase {
  const rows = sender.outbox.filter((row): row is Numbered => row.sequence !== undefined);
  const { done, unseen, again } = carryOver(rows, answer);
  return {
    ...sender,
    lost: sender.lost + unseen.map(({ message }) => message).join(''),
    outbox: sender.outbox.flatMap((row) => {
      if (done.includes(row as Numbered) || unseen.includes(row as Numbered)) return [];
      if (again.includes(row as Numbered)) return { ...row, sequence: undefined, kept: false };
      return row;
    }),
  };
}

/** Acknowledged messages that a receiver has lost again. */
function takenBack(sender: SenderDatabase, closed: RangeSet, { toSendAgain }: Rules): SenderDatabase {
  const kept = sender.outbox.filter((row): row is Numbered => row.kept && row.sequence !== undefined);
  const again = toSendAgain(kept, closed);
  return {
    ...sender,
    outbox: sender.outbox.map((row) => (again.includes(row as Numbered) ? { ...row, kept: false } : row)),
  };
}

/** Of the numbers given: those of rows that are acknowledged or gone. */
function acknowledgedOf({ stream, outbox }: SenderDatabase): RangeSet {
  if (!stream?.open) return RangeSet.empty;
  const out = outbox.flatMap(({ sequence, kept }) => (sequence === undefined || kept ? [] : sequence));
  return RangeSet.upTo(stream.next).minus(RangeSet.of(...out));
}

function goneOf({ stream, outbox }: SenderDatabase): RangeSet {
  if (!stream?.open) return RangeSet.empty;
  const rows = outbox.flatMap(({ sequence }) => sequence ?? []);
  return RangeSet.upTo(stream.next).minus(RangeSet.of(...rows));
}
