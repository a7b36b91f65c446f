import 'reflect-metadata';
import { type INestApplicationContext, Injectable, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  FeedConsumer,
  type FeedSource,
  InMemoryBus,
  InMemoryTransport,
  type MessageContext,
  MessagingModule,
  OnMessage,
} from '@pawl/messaging';
import { testDatabase, type TestDatabase, testKeys, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { FeedService, SHIPPING_TOKEN } from './feed-service.js';
import { Noted, QUICK, upTo } from './service-pair.js';

@Injectable()
@FeedConsumer({ from: 'orders', partitions: 1 })
class Arrivals {
  @OnMessage(Noted)
  async noted({ n }: Noted, { envelope, manager }: MessageContext): Promise<void> {
    await manager.query('INSERT INTO note (id, n) VALUES ($1, $2)', [envelope.id, n]);
  }
}

@Injectable()
@FeedConsumer({ from: 'orders' })
class Nothing {}

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => database.drop());

it('and its methods receive what another service has for it', async () => {
  const orders = await FeedService.start();
  const shipping = await application(Arrivals, [{ from: 'orders', url: orders.url, token: SHIPPING_TOKEN }]);
  try {
    const dataSource = shipping.get(DataSource);
    await dataSource.query('CREATE TABLE note (id uuid, n integer)');
    await orders.send(upTo(3));
    await until(async () => (await dataSource.query('SELECT 1 FROM note')).length === 3);
    await until(async () => (await orders.dataSource.query('SELECT 1 FROM pawl.outbox')).length === 0);
    expect(await dataSource.query('SELECT n FROM note ORDER BY n')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  } finally {
    await shipping.close();
    await orders.close();
  }
});

it.each([
  ['where the feed is', Arrivals, [], "MessagingModule.forRoot({ feeds: [{ from: 'orders', url, token }] })"],
  [
    'a method',
    Nothing,
    [{ from: 'orders', url: 'http://orders', token: 'x' }],
    'none of its methods has @OnMessage',
  ],
])('is refused without %s, and told what to do', async (_, consumer, feeds, remedy) => {
  await expect(application(consumer, feeds)).rejects.toMatchObject({
    code: 'feeds_invalid',
    message: expect.stringContaining(remedy),
  });
});

async function application(consumer: Type, feeds: readonly FeedSource[]): Promise<INestApplicationContext> {
  @Module({ providers: [consumer] })
  class ConsumerModule {}

  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url: database.url }),
      MessagingModule.forRoot({
        service: 'shipping',
        transport: new InMemoryTransport(new InMemoryBus()),
        keys: testKeys,
        feeds,
        limits: QUICK,
      }),
      ConsumerModule,
    ],
  }).compile();
  return module.init();
}
