import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AdminModule, HealthModule } from '@pawl/admin';
import type { ServiceConfig } from '@pawl/config';
import { messageKeys, MessagingModule, ProblemFilter } from '@pawl/messaging';
import { WorkflowModule } from '@pawl/workflow';
import { databaseModule } from './database.js';
import { ShipmentsController } from './http/shipments.controller.js';
import { ShipmentWorkflow } from './shipment.workflow.js';

/** The shipping service. Orders reach it as messages only; its workflow consumes them. */
@Module({})
export class ShippingModule {
  static with(config: ServiceConfig): DynamicModule {
    return {
      module: ShippingModule,
      imports: [
        databaseModule(config),
        MessagingModule.forRoot(busOptions(config)),
        WorkflowModule.forRootAsync({ useFactory: () => workerOptions(config) }),
        HealthModule,
        ...(config.PAWL_ADMIN_TOKEN ? [AdminModule.forRoot({ token: config.PAWL_ADMIN_TOKEN })] : []),
      ],
      controllers: [ShipmentsController],
      providers: [ShipmentWorkflow, { provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}

function busOptions({
  BUS_URL: busUrl,
  BUS_VIA: via,
  PAWL_PREFIX: prefix,
  PAWL_MESSAGE_KEYS,
}: ServiceConfig) {
  const keys = messageKeys(PAWL_MESSAGE_KEYS);
  return { service: 'shipping', keys, busUrl, prefix, ...(via === undefined ? {} : { via }) };
}

function workerOptions(config: ServiceConfig) {
  return {
    service: 'shipping',
    queueUrl: config.QUEUE_URL,
    prefix: config.PAWL_PREFIX,
    leaseMs: config.PAWL_LEASE_MS,
    rescueEveryMs: config.PAWL_RESCUE_EVERY_MS,
    concurrency: config.PAWL_CONCURRENCY,
    drainMs: config.PAWL_DRAIN_MS,
  };
}
