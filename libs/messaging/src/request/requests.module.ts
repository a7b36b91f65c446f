import { type DynamicModule, Module } from '@nestjs/common';
import { noteWindow } from '../declared.js';
import { dutyProvider } from '../http/duty-provider.js';
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
          useFactory: ({ transactions }: MessagingRuntime) => {
            const requests = new IdempotentRequests(transactions, options);
            noteWindow({ entrance: 'idempotency-key', name: '', windowMs: requests.keptMs });
            return requests;
          },
        },
        dutyProvider((transactions) => new RequestPruner(transactions)),
      ],
      exports: [IdempotentRequests],
    };
  }
}
