import type { Envelope } from '../envelope.js';
import { Consumers } from './consumers.js';
import type { MessageConsumer } from './message-consumer.js';

const consumer = (name: string): MessageConsumer => ({ name, handle: async () => [] });
const message = (type: string, sequence: number): Envelope => ({ type, sequence }) as Envelope;

it('gives each consumer its messages, in their order', () => {
  const [one, two] = [consumer('one'), consumer('two')];
  const consumers = new Consumers();
  consumers.register(['a', 'b'], one);
  consumers.register(['b'], two);
  consumers.register(['b'], two);
  const [a0, b1, c2, b3] = [message('a', 0), message('b', 1), message('c', 2), message('b', 3)];
  expect([...consumers.share([a0, b1, c2, b3])]).toEqual([
    [one, [a0, b1, b3]],
    [two, [b1, b3]],
  ]);
  expect(consumers.of('c', 1)).toEqual([]);
  expect(consumers.types).toEqual(['a', 'b']);
});

it('gives a consumer only the versions that it handles', () => {
  const [all, second] = [consumer('all'), { ...consumer('second'), versionsOf: () => [2] }];
  const consumers = new Consumers();
  consumers.register(['a', 'b'], second);
  consumers.register(['b'], all);
  expect(consumers.of('a', 1)).toEqual([]);
  expect(consumers.of('a', 2)).toEqual([second]);
  expect(consumers.of('b', 1)).toEqual([all]);
  expect(consumers.of('b', 2)).toEqual([second, all]);
  expect(consumers.known).toEqual({ types: ['b'], versions: ['a@2', 'b@2'] });
});
