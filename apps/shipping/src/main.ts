import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { readConfig, redactedConfig, type ServiceConfig, serviceVariables } from '@pawl/config';
import { RefusedToBootError } from '@pawl/core';
import { ShippingModule } from './shipping.module.js';

const logger = new Logger('Shipping');

async function start(): Promise<void> {
  const config = readConfig(process.env, serviceVariables);
  logger.log(`Configuration: ${JSON.stringify(redactedConfig(config, serviceVariables))}`);
  const options = { bodyParser: false, abortOnError: false };
  const app = await NestFactory.create<NestExpressApplication>(ShippingModule.with(config), options);
  app.disable('x-powered-by');
  await app.listen(config.PORT, listensOn(config));
  stopWhenTold(app, config);
  const { port } = app.getHttpServer().address() as AddressInfo;
  process.send?.({ ready: true, port });
}

function listensOn({ NODE_ENV }: ServiceConfig): string {
  return NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1';
}

/**
 * Told by a signal, or by the end of the process that started it: finishes what is under way and ends. What does not end in time is cut
 * off, and others take it over.
 */
function stopWhenTold(app: NestExpressApplication, { PAWL_DRAIN_MS }: ServiceConfig): void {
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
