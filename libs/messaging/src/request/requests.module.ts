import {
  type DynamicModule,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DutyLoop } from '@pawl/core';
import { MessagingRuntime } from '../messaging-runtime.js';
import { IdempotentRequests, type IdempotentRequestsOptions } from './idempotent-requests.js';
import { RequestPruner } from './request-pruner.js';

/** Provides {@link IdempotentRequests} and removes expired answers. Needs MessagingModule. */
@Module({})
export class RequestsModule {
  static forRoot(options: IdempotentRequestsOptions = {}): DynamicModule {
    return {
      module: RequestsModule,
      providers: [
        {
          provide: IdempotentRequests,
          inject: [MessagingRuntime],
          useFactory: ({ transactions }: MessagingRuntime) => new IdempotentRequests(transactions, options),
        },
        RequestPruning,
      ],
      exports: [IdempotentRequests],
    };
  }
}

/** Runs the pruner as long as the application runs. */
@Injectable()
class RequestPruning implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: DutyLoop;

  constructor({ transactions }: MessagingRuntime) {
    const logger = new Logger('Requests');
    this.loop = new DutyLoop(new RequestPruner(transactions), ({ name }, error) =>
      logger.warn({ duty: name, error }),
    );
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
