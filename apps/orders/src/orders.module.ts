import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AdminModule, HealthModule } from '@pawl/admin';
import type { OrdersConfig } from '@pawl/config';
import { ExchangeModule, messageKeys, MessagingModule, ProblemFilter, RequestsModule } from '@pawl/messaging';
import { WorkflowModule } from '@pawl/workflow';
import { databaseModule } from './database.js';
import { OrderExchange } from './http/order-exchange.js';
import { OrdersController } from './http/orders.controller.js';
import { OrderWorkflow } from './order.workflow.js';
import { PaymentGateway } from './payment/payment-gateway.js';

/** The orders service: one process is API and worker. */
@Module({})
export class OrdersModule {
  static with(config: OrdersConfig): DynamicModule {
    return {
      module: OrdersModule,
      imports: [
        databaseModule(config),
        MessagingModule.forRoot(busOptions(config)),
        WorkflowModule.forRootAsync({ useFactory: () => workerOptions(config) }),
        RequestsModule.forRoot(),
        ExchangeModule.forRoot(),
        HealthModule,
        ...(config.PAWL_ADMIN_TOKEN ? [AdminModule.forRoot({ token: config.PAWL_ADMIN_TOKEN })] : []),
      ],
      controllers: [OrdersController],
      providers: [
        OrderWorkflow,
        OrderExchange,
        { provide: PaymentGateway, useFactory: () => new PaymentGateway(config.PAYMENT_GATEWAY_URL) },
        { provide: APP_FILTER, useClass: ProblemFilter },
        {
          provide: APP_PIPE,
          useFactory: () =>
            new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
        },
      ],
    };
  }
}

function busOptions({ BUS_URL: busUrl, BUS_VIA: via, PAWL_PREFIX: prefix, PAWL_MESSAGE_KEYS }: OrdersConfig) {
  const keys = messageKeys(PAWL_MESSAGE_KEYS);
  return { service: 'orders', keys, busUrl, prefix, ...(via === undefined ? {} : { via }) };
}

function workerOptions(config: OrdersConfig) {
  return {
    service: 'orders',
    queueUrl: config.QUEUE_URL,
    prefix: config.PAWL_PREFIX,
    leaseMs: config.PAWL_LEASE_MS,
    rescueEveryMs: config.PAWL_RESCUE_EVERY_MS,
    concurrency: config.PAWL_CONCURRENCY,
    drainMs: config.PAWL_DRAIN_MS,
  };
}
