import {
  type BeforeApplicationShutdown,
  ConfigurableModuleBuilder,
  Global,
  Module,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Consumers, MessagingRuntime } from '@pawl/messaging';
import { WorkflowControl } from '../engine/control/control.js';
import { Definitions } from '../engine/definitions.js';
import { WorkflowClient } from '../engine/client/workflow-client.js';
import { WorkflowVersions } from '../engine/versions/workflow-versions.js';
import { WorkflowExplorer } from './workflow-explorer.js';
import type { WorkflowOptions } from './workflow-options.js';
import { WorkflowRuntime } from './workflow-runtime.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<WorkflowOptions>()
  .setClassMethodName('forRoot')
  .build();

/**
 * Durable workflows for a Nest application: `WorkflowModule.forRoot({ service, queueUrl })` or `forRootAsync`, next to `MessagingModule`. Providers whose
 * class is decorated with a workflow's `@Workflow()` are found by themselves; inject {@link WorkflowClient} to start runs and deliver events.
 * Wrong decorators keep the application from booting, all problems in one error.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Definitions,
    WorkflowExplorer,
    {
      provide: WorkflowRuntime,
      useFactory: (definitions: Definitions, messaging: MessagingRuntime, options: WorkflowOptions) =>
        new WorkflowRuntime(definitions, messaging, options),
      inject: [Definitions, MessagingRuntime, MODULE_OPTIONS_TOKEN],
    },
    {
      provide: WorkflowClient,
      useFactory: ({ client }: WorkflowRuntime) => client,
      inject: [WorkflowRuntime],
    },
    {
      provide: WorkflowControl,
      useFactory: ({ control }: WorkflowRuntime) => control,
      inject: [WorkflowRuntime],
    },
    {
      provide: WorkflowVersions,
      useFactory: ({ versions }: WorkflowRuntime) => versions,
      inject: [WorkflowRuntime],
    },
  ],
  exports: [WorkflowClient, WorkflowControl, WorkflowVersions, WorkflowRuntime, Definitions],
})
export class WorkflowModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown
{
  constructor(
    private readonly explorer: WorkflowExplorer,
    private readonly definitions: Definitions,
    private readonly runtime: WorkflowRuntime,
    private readonly consumers: Consumers,
    private readonly messaging: MessagingRuntime,
  ) {
    super();
  }

  /** Before anything is consumed: no message finds its workflow missing, or changed under its version. */
  async onModuleInit(): Promise<void> {
    this.explorer.declareAll(this.definitions);
    await this.runtime.keepDefinitions();
    this.consumers.register(this.definitions.eventTypes, this.runtime.consumer);
    this.messaging.redriver.useEvents(this.runtime.eventRedrive);
  }

  onApplicationBootstrap(): void {
    this.runtime.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runtime.stop();
  }
}
