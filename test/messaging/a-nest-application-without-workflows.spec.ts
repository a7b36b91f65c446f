import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { INestApplicationContext } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  InMemoryBus,
  InMemoryTransport,
  type MessageContext,
  MessageType,
  MessagingModule,
  OnMessage,
  Outbox,
  outgoing,
  route,
} from '@pawl/messaging';
import { testDatabase, type TestDatabase, testKeys, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { Noted, QUICK } from './service-pair.js';

@MessageType({ name: 'bell.rung', version: 1 })
class Rung {}

const toItself = route({ to: 'notes' });

const [SLOW, FLOATING] = [1_000, 2_000];

@Injectable()
class Notes {
  over = false;
  floating: Promise<unknown> | undefined;

  @OnMessage(Noted)
  async noted({ n }: Noted, { envelope, manager }: MessageContext): Promise<void> {
    await manager.query('INSERT INTO note (id, n) VALUES ($1, $2)', [envelope.id, n]);
    if (n === SLOW) await new Promise(() => undefined);
    if (n === FLOATING) this.floating = until(() => this.over).then(() => manager.query('DELETE FROM note'));
  }
}

@Module({ providers: [Notes] })
class NotesModule {}

let database: TestDatabase;
let application: INestApplicationContext;

beforeEach(async () => {
  database = await testDatabase();
  const transport = new InMemoryTransport(new InMemoryBus());
  const module = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url: database.url }),
      MessagingModule.forRootAsync({
        useFactory: () => ({
          service: 'notes',
          keys: testKeys,
          transport,
          limits: { ...QUICK, handlerTimeoutMs: 200, attemptsMax: 1 },
        }),
      }),
      NotesModule,
    ],
  }).compile();
  application = await module.init();
  await application.get(DataSource).query('CREATE TABLE note (id uuid, n integer)');
});
afterEach(async () => {
  await application.close();
  await database.drop();
});

it('handles a message that was sent in the transaction of a caller', async () => {
  const [dataSource, outbox] = [application.get(DataSource), application.get(Outbox)];
  await dataSource.transaction(async (manager) => {
    await outbox.appendIn(manager, [outgoing(Noted, new Noted(7), { route: toItself, key: 'a' })]);
  });
  await until(async () => (await dataSource.query('SELECT n FROM note')).length === 1);
  expect(await dataSource.query('SELECT n FROM note')).toEqual([{ n: 7 }]);
});

it('sends nothing of a transaction that rolled back', async () => {
  const [dataSource, outbox] = [application.get(DataSource), application.get(Outbox)];
  const rolledBack = dataSource.transaction(async (manager) => {
    await outbox.appendIn(manager, [outgoing(Noted, new Noted(7), { route: toItself, key: 'a' })]);
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  expect(await dataSource.query('SELECT * FROM pawl.outbox')).toEqual([]);
});

it('refuses a manager that has no transaction, and says what to do', async () => {
  const [{ manager }, outbox] = [application.get(DataSource), application.get(Outbox)];
  const message = outgoing(Noted, new Noted(7), { route: toItself, key: 'a' });
  await expect(outbox.appendIn(manager, [message])).rejects.toMatchObject({
    code: 'not_in_transaction',
    message: expect.stringContaining('dataSource.transaction('),
  });
});

it('refuses a payload that is not of its type, and a message that its route does not carry, before anything is written', async () => {
  const [dataSource, outbox] = [application.get(DataSource), application.get(Outbox)];
  const wrong = (): unknown => outgoing(Noted, { n: 'seven' } as never, { route: toItself, key: 'a' });
  expect(wrong).toThrow(
    expect.objectContaining({
      code: 'payload_invalid',
      message: expect.stringContaining('/n must be integer'),
    }),
  );
  const elsewhere = outgoing(Noted, new Noted(7), {
    route: route({ to: 'notes', messages: [Rung] }),
    key: 'a',
  });
  await expect(
    dataSource.transaction((manager) => outbox.appendIn(manager, [elsewhere])),
  ).rejects.toMatchObject({
    code: 'message_invalid',
    message: expect.stringContaining('does not carry version 1'),
  });
  expect(await dataSource.query('SELECT * FROM pawl.outbox')).toEqual([]);
});

it('puts a payload that is not of its type aside as a dead letter', async () => {
  const dataSource = application.get(DataSource);
  await send(new Noted('seven' as unknown as number));
  await until(async () => (await dataSource.query('SELECT * FROM pawl.dead_letter')).length === 1);
  expect(await dataSource.query('SELECT reason, rule, payload FROM pawl.dead_letter')).toEqual([
    { reason: 'invalid_payload', rule: '/n must be integer', payload: { n: 'seven' } },
  ]);
});

it('ends a handler that takes too long, with what it wrote', async () => {
  const dataSource = application.get(DataSource);
  await send(new Noted(SLOW));
  await until(async () => (await dataSource.query('SELECT * FROM pawl.dead_letter')).length === 1);
  const [letter] = (await dataSource.query('SELECT errors FROM pawl.dead_letter')) as {
    errors: { code: string }[];
  }[];
  expect(letter?.errors.map(({ code }) => code)).toEqual(['handler_timeout']);
  expect(await dataSource.query('SELECT * FROM note')).toEqual([]);
});

it('takes the manager away from a handler that has ended', async () => {
  const [dataSource, notes] = [application.get(DataSource), application.get(Notes)];
  await send(new Noted(FLOATING));
  await until(async () => (await dataSource.query('SELECT * FROM note')).length === 1);
  notes.over = true;
  await expect(notes.floating).rejects.toThrow(/already released|has ended/);
  expect(await dataSource.query('SELECT n FROM note')).toEqual([{ n: FLOATING }]);
});

/** Past the check of the sender, as another service with another release could. */
async function send(payload: Noted): Promise<void> {
  const message = { ...outgoing(Noted, new Noted(0), { route: toItself, key: 'a' }), payload };
  await application
    .get(DataSource)
    .transaction((manager) => application.get(Outbox).appendIn(manager, [message]));
}
