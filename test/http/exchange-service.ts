import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Injectable, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  ExchangeModule,
  type ExchangeOptions,
  InMemoryBus,
  InMemoryTransport,
  MessagingModule,
  type RequestContext,
  RequestHandler,
  RequestRefusedError,
  requestType,
} from '@pawl/messaging';

export interface Parcel {
  readonly weight: number;
  /** What the handler does besides. */
  readonly then?: 'throw' | 'wait' | 'refuse' | 'hang';
}

export interface Label {
  readonly label: string;
}

/** Prints a label: to do it twice would be seen. */
export const printLabel = requestType<Parcel, Label>({
  name: 'labels.print',
  schema: {
    type: 'object',
    required: ['weight'],
    properties: { weight: { type: 'integer', minimum: 1 }, then: { type: 'string' } },
    additionalProperties: false,
  },
});

/** The application's own table: no key, so a second effect is a second row. */
export const LABELS = 'create table if not exists label (request uuid not null, weight int not null)';

@Injectable()
export class Labels {
  /** Lets those go on that wait. */
  open: () => void = () => undefined;
  private readonly gate = new Promise<void>((resolve) => (this.open = resolve));
  begun = 0;

  @RequestHandler(printLabel)
  async print({ weight, then }: Parcel, { id, manager }: RequestContext): Promise<Label> {
    this.begun++;
    await manager.query('insert into label values ($1, $2)', [id, weight]);
    if (then === 'throw' && this.begun === 1) throw new Error('secret: out of paper');
    if (then === 'refuse') throw new RequestRefusedError('too_heavy', 'No label for so much.');
    if (then === 'wait') await this.gate;
    if (then === 'hang') await new Promise(() => undefined);
    return { label: `label of ${weight}` };
  }
}

export interface ExchangeService {
  /** Where the exchange is. */
  readonly url: string;
  readonly app: INestApplication;
  readonly labels: Labels;
  close(): Promise<void>;
}

/** A service that prints labels, on a port of its own: what an application does to mount the exchange. */
export async function openExchangeService(
  databaseUrl: string,
  options: ExchangeOptions & { readonly port?: number } = {},
): Promise<ExchangeService> {
  const { port = 0, ...exchange } = options;
  const transport = new InMemoryTransport(new InMemoryBus());

  @Module({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl, installExtensions: false }),
      MessagingModule.forRoot({ service: 'labels', transport, consume: false, unsigned: true }),
      ExchangeModule.forRoot(exchange),
    ],
    providers: [Labels],
  })
  class LabelsModule {}

  const app = await NestFactory.create(LabelsModule, { logger: false, abortOnError: false });
  await app.listen(port, '127.0.0.1');
  const address = (app.getHttpServer() as { address(): AddressInfo }).address();
  return {
    url: `http://127.0.0.1:${address.port}/${exchange.path ?? 'requests'}`,
    app,
    labels: app.get(Labels),
    close: () => app.close(),
  };
}
