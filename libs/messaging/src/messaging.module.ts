import {
  type BeforeApplicationShutdown,
  ConfigurableModuleBuilder,
  Global,
  Module,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { DeadLetters } from './dead-letter/dead-letters.js';
import { FeedConsumerExplorer } from './feed/feed-consumer.js';
import { Consumers } from './inbox/consumers.js';
import { Inbox } from './inbox/inbox.js';
import type { MessagingOptions } from './messaging-options.js';
import { MessagingRuntime } from './messaging-runtime.js';
import { OnMessageExplorer } from './on-message-explorer.js';
import { Outbox } from './outbox/outbox.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<MessagingOptions>()
  .setClassMethodName('forRoot')
  .build();

/**
 * Messages between services for a Nest application, over its own TypeORM DataSource: `MessagingModule.forRoot({ service, busUrl })` or
 * `forRootAsync`. Inject {@link Outbox} to send, put `@OnMessage` on methods to receive. It starts with the application and stops before
 * connections are closed.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: MessagingRuntime,
      useFactory: (dataSource: DataSource, options: MessagingOptions) =>
        new MessagingRuntime(dataSource, options),
      inject: [DataSource, MODULE_OPTIONS_TOKEN],
    },
    { provide: Outbox, useFactory: ({ outbox }: MessagingRuntime) => outbox, inject: [MessagingRuntime] },
    { provide: Inbox, useFactory: ({ inbox }: MessagingRuntime) => inbox, inject: [MessagingRuntime] },
    {
      provide: Consumers,
      useFactory: ({ consumers }: MessagingRuntime) => consumers,
      inject: [MessagingRuntime],
    },
    {
      provide: DeadLetters,
      useFactory: ({ deadLetters }: MessagingRuntime) => deadLetters,
      inject: [MessagingRuntime],
    },
    OnMessageExplorer,
    FeedConsumerExplorer,
  ],
  exports: [MessagingRuntime, Outbox, Inbox, Consumers, DeadLetters],
})
export class MessagingModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown
{
  constructor(
    private readonly runtime: MessagingRuntime,
    private readonly explorer: OnMessageExplorer,
  ) {
    super();
  }

  /** Consumers are registered while modules are initialized, so that none is missing when the first message comes. */
  onModuleInit(): void {
    this.explorer.explore();
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.runtime.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runtime.stop();
  }
}
