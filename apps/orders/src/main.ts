import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type OrdersConfig, ordersVariables, readConfig, redactedConfig } from '@pawl/config';
import { RefusedToBootError } from '@pawl/core';
import { readJson } from './http/read-json.js';

const logger = new Logger('Orders');

async function start(): Promise<void> {
  const config = readConfig(process.env, ordersVariables);
  logger.log(`Configuration: ${JSON.stringify(redactedConfig(config, ordersVariables))}`);
  // For a decorator, which is evaluated before anything can be injected: checked, and read from its file if it has one.
  process.env['SUBMITTED_TIMEOUT'] = config.SUBMITTED_TIMEOUT;
  const { OrdersModule } = await import('./orders.module.js');
  const options = { bodyParser: false, abortOnError: false };
  const app = await NestFactory.create<NestExpressApplication>(OrdersModule.with(config), options);
  app.disable('x-powered-by');
  readJson(app);
  await app.listen(config.PORT, listensOn(config));
  stopWhenTold(app, config);
  const { port } = app.getHttpServer().address() as AddressInfo;
  process.send?.({ ready: true, port });
}

function listensOn({ NODE_ENV }: OrdersConfig): string {
  return NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1';
}

/**
 * Told by a signal, or by the end of the process that started it: finishes what is under way and ends. What does not end in time is cut
 * off, and others take it over.
 */
function stopWhenTold(app: NestExpressApplication, { PAWL_DRAIN_MS }: OrdersConfig): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), PAWL_DRAIN_MS + CLOSING_MS).unref();
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('disconnect', stop);
  if (process.connected === false) stop();
}

/** Time to close connections after the steps have drained. */
const CLOSING_MS = 5_000;

start().catch((error: unknown) => {
  // A refusal names its problems and their remedies; a stack trace would only hide them.
  logger.error(error instanceof RefusedToBootError ? error.message : error);
  process.exit(1);
});
