import { fileURLToPath } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { migratesAtBoot, type OrdersConfig } from '@pawl/config';
import { sqlErrorKind } from '@pawl/core';
import { pawlMigrations, prepareDatabase } from '@pawl/migrations';
import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Reservation } from './stock/reservation.js';

export const ordersMigrations = {
  source: 'orders',
  directory: fileURLToPath(new URL('../migrations', import.meta.url)),
};

/** The service's own database. At boot it is waited for, and migrated where that is allowed. */
export function databaseModule(config: OrdersConfig): DynamicModule {
  return TypeOrmModule.forRootAsync({
    useFactory: () => ({
      type: 'postgres',
      url: config.DATABASE_URL,
      entities: [Reservation],
      applicationName: 'orders',
      poolSize: config.PAWL_CONCURRENCY + POOL_FOR_REQUESTS,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      retryAttempts: 60,
      retryDelay: 1_000,
      toRetry: (error) => sqlErrorKind(error) === 'unavailable',
    }),
    dataSourceFactory: async (options) => {
      await prepare(config);
      return new DataSource(options as DataSourceOptions);
    },
  });
}

async function prepare(config: OrdersConfig): Promise<void> {
  const client = new pg.Client({
    connectionString: config.DATABASE_URL,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    const sources = [pawlMigrations, ordersMigrations];
    await prepareDatabase(client, sources, { mayMigrate: migratesAtBoot(config) });
  } finally {
    await client.end();
  }
}

/** Connections beside those of the steps: requests, messages, maintenance. */
const POOL_FOR_REQUESTS = 10;

/** After that, a request is answered 503. */
const CONNECT_TIMEOUT_MS = 3_000;
