import type { IncomingMessage } from 'node:http';
import {
  type CanActivate,
  type DynamicModule,
  Inject,
  Module,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  DiscoveryService,
  HttpAdapterHost,
  MetadataScanner,
} from '@nestjs/core';
import { type Duration, RefusedToBootError, toMilliseconds } from '@pawl/core';
import { noteWindow } from '../declared.js';
import { membersOf } from '../members-of.js';
import { dutyProvider } from '../http/duty-provider.js';
import type { Rate } from '../http/rate-limit.js';
import { RawBodies } from '../http/raw-bodies.js';
import { MessagingRuntime } from '../messaging-runtime.js';
import { PAYLOAD_BYTES_MAX } from '../payload.js';
import { Exchange, type ExchangeLimits } from './exchange.js';
import { exchangeController } from './exchange.controller.js';
import { ExchangePruner } from './exchange-pruner.js';
import { requestTypeOf, type RequestHandling } from './request-handler.js';
import { RequestHandlers } from './request-handlers.js';

export interface ExchangeOptions {
  /** Where the four verbs are served. Default `requests`. */
  readonly path?: string;
  /** How long after the time that it carries an id is accepted and kept. Default 24 h, at most 30 d. */
  readonly window?: Duration;
  /** How far the clock of a caller may be ahead of the database's. Default 5 m. */
  readonly ahead?: Duration;
  /** Who may call. Default: everybody who reaches the port. */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Whose request it is, for instance what a guard has found out: nobody else reads or forgets it. Default: all callers are one. */
  readonly caller?: (request: IncomingMessage) => string;
  /** Requests per second and process. Default 500. */
  readonly rate?: Rate;
  /** Largest body. Default 256 KiB, at most that. */
  readonly bodyBytesMax?: number;
  /** How long a handler may take. Milliseconds, default 8,000: below the server's idle limit for transactions. */
  readonly handlerTimeoutMs?: number;
  /** How long a call waits for its twin that is in progress. Milliseconds, default 2,000. */
  readonly twinWaitMs?: number;
  /** Handlers at a time in this process; each holds a connection. Default 8. */
  readonly concurrency?: number;
}

/**
 * The exactly-once HTTP exchange, `PUT`, `POST`, `GET`, `DELETE /requests/:id`, for the `@RequestHandler` methods of the application:
 * `imports: [ExchangeModule.forRoot()]`. Needs MessagingModule. It reads bodies itself, so no parser of the application matters.
 */
@Module({ imports: [DiscoveryModule] })
export class ExchangeModule implements OnModuleInit {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(RequestHandlers) private readonly handlers: RequestHandlers,
  ) {}

  /** @throws RefusedToBootError `exchange_options_invalid` with every problem */
  static forRoot(options: ExchangeOptions = {}): DynamicModule {
    const { path = 'requests', guards = [], caller = () => '', rate = { perSecond: 500 } } = options;
    const { bodyBytesMax: bytesMax = BODY_BYTES_MAX } = options;
    const limits = checked(options);
    return {
      module: ExchangeModule,
      controllers: [exchangeController({ path, guards, caller, rate })],
      providers: [
        RequestHandlers,
        {
          provide: RawBodies,
          inject: [HttpAdapterHost, ApplicationConfig],
          useFactory: (host: HttpAdapterHost, config: ApplicationConfig) =>
            new RawBodies(host, config, { path, bytesMax }),
        },
        {
          provide: Exchange,
          inject: [MessagingRuntime, RequestHandlers],
          useFactory: ({ transactions }: MessagingRuntime, handlers: RequestHandlers) =>
            new Exchange(transactions, handlers, limits),
        },
        dutyProvider((transactions) => new ExchangePruner(transactions, limits)),
      ],
      exports: [Exchange],
    };
  }

  onModuleInit(): void {
    for (const { method, call } of membersOf(this.discovery, this.scanner)) {
      const type = requestTypeOf(method);
      if (type !== undefined) this.handlers.register(type, call as RequestHandling<unknown, unknown>);
    }
  }
}

/** A body with the few bytes around it. */
const BODY_BYTES_MAX = PAYLOAD_BYTES_MAX + 1_024;
const WINDOW_MAX_MS = 30 * 24 * 60 * 60 * 1_000;

function checked(options: ExchangeOptions): ExchangeLimits {
  const windowMs = toMilliseconds(options.window ?? '24h') ?? 0;
  const aheadMs = toMilliseconds(options.ahead ?? '5m') ?? -1;
  const { handlerTimeoutMs = 8_000, twinWaitMs = 2_000, concurrency = 8 } = options;
  const { bodyBytesMax = BODY_BYTES_MAX } = options;
  const problems: string[] = [];
  if (windowMs < 1_000 || windowMs > WINDOW_MAX_MS) problems.push('window is not between 1s and 30d');
  if (aheadMs < 0 || aheadMs > windowMs) problems.push('ahead is negative, or longer than the window');
  if (bodyBytesMax > BODY_BYTES_MAX) problems.push(`bodyBytesMax is more than ${BODY_BYTES_MAX}`);
  for (const [name, value] of Object.entries({ handlerTimeoutMs, twinWaitMs, concurrency, bodyBytesMax }))
    if (!Number.isInteger(value) || value < 1)
      problems.push(`${name} is ${value}, not a whole number from 1 on`);
  if (problems.length > 0)
    throw new RefusedToBootError('exchange_options_invalid', 'ExchangeModule can not start:', problems);
  noteWindow({ entrance: 'exchange', name: '', windowMs });
  return { windowMs, aheadMs, handlerTimeoutMs, twinWaitMs, concurrency };
}
