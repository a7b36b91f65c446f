import { RangeSet } from '@pawl/core';
import type { WireAcknowledgement } from '../acknowledgement.js';
import type { PageQuestion, ReceivedPage } from './feed-client.js';
import { FeedPuller } from './feed-puller.js';

const incarnation = '019a0000-0000-7000-8000-000000000001';
const receiver = '019b0000-0000-7000-8000-000000000001';
const { signal } = new AbortController();

/** A puller over what the spec puts up: pages to be answered, and how far the inbox is. */
function stage(pages: (ReceivedPage | Error)[]) {
  const seen = {
    asked: [] as PageQuestion[],
    received: [] as { messages: readonly unknown[]; repeated: boolean }[],
    told: [] as WireAcknowledgement[],
    closed: RangeSet.upTo(3),
  };
  const puller = new FeedPuller({
    stream: 'orders.shipping',
    partition: 0,
    readers: { take: async () => ({ incarnation, receiver, closed: seen.closed }) },
    ask: async (question) => {
      seen.asked.push(question);
      const next = pages.shift() ?? page([]);
      if (next instanceof Error) throw next;
      return next;
    },
    receive: async (messages, repeated) => void seen.received.push({ messages, repeated }),
    acknowledge: async (acknowledgement) => void seen.told.push(acknowledgement),
    onPartitions: () => undefined,
  });
  return { puller, seen };
}

function page(numbers: number[]): ReceivedPage {
  return {
    partition: 0,
    incarnation,
    messages: numbers,
    last: numbers.at(-1) ?? null,
    end: true,
    partitions: 1,
  };
}

it('asks from the watermark on, and suspects what another process may have had in its hands', async () => {
  const { puller, seen } = stage([page([3, 4]), page([5])]);
  await puller.pass(signal);
  seen.closed = RangeSet.upTo(5);
  await puller.pass(signal);
  expect(seen.asked.map(({ from }) => from)).toEqual([3, 5]);
  expect(seen.received).toEqual([
    { messages: [3, 4], repeated: true },
    { messages: [5], repeated: false },
  ]);
});

it('reads on behind what stayed open, and waits no longer than until it asks for that again', async () => {
  const { puller, seen } = stage([page([3, 4])]);
  await puller.pass(signal);
  seen.closed = RangeSet.upTo(3);
  await puller.pass(signal);
  expect(seen.asked.map(({ from, waitS }) => [from, waitS])).toEqual([
    [3, 5],
    [5, 1],
  ]);
});

it('says what is closed when it begins, and once more when there is nothing to read', async () => {
  const { puller, seen } = stage([page([3]), page([]), page([])]);
  await puller.pass(signal);
  seen.closed = RangeSet.upTo(4);
  for (let n = 0; n < 4; n++) await puller.pass(signal);
  expect(seen.told.map(({ closed }) => closed)).toEqual([[[0, 3]], [[0, 4]]]);
});

it('leaves a sender that is away alone for a while', async () => {
  const { puller, seen } = stage([new Error('away')]);
  await expect(puller.pass(signal)).rejects.toThrow('away');
  expect(await puller.pass(signal)).toBe(0);
  expect(seen.asked).toHaveLength(1);
});

it('says nothing of a poll that was given up to stop', async () => {
  const { puller } = stage([new Error('stopped')]);
  expect(await puller.pass(AbortSignal.abort())).toBe(0);
});
