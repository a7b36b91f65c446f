import {
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { type Duty, DutyLoop, type Transactions } from '@pawl/core';
import { MessagingRuntime } from '../messaging-runtime.js';

/** A provider that runs a duty as long as the application runs. */
export function dutyProvider(make: (transactions: Transactions) => Duty): Provider {
  return {
    provide: Symbol('duty'),
    inject: [MessagingRuntime],
    useFactory: ({ transactions }: MessagingRuntime) => new RunningDuty(make(transactions)),
  };
}

class RunningDuty implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: DutyLoop;
  private readonly logger = new Logger('Requests');

  constructor(duty: Duty) {
    this.loop = new DutyLoop(duty, ({ name }, error) => this.logger.warn({ duty: name, error }));
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
