import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  DiscoveryService,
  HttpAdapterHost,
  MetadataScanner,
} from '@nestjs/core';
import { dutyProvider } from '../http/duty-provider.js';
import { membersOf } from '../members-of.js';
import { RawBodies } from '../http/raw-bodies.js';
import { MessagingRuntime } from '../messaging-runtime.js';
import { PAYLOAD_BYTES_MAX } from '../payload.js';
import { type WebhookHandling, webhookSourceOf } from './webhook.js';
import { webhookController } from './webhook.controller.js';
import { WebhookPruner } from './webhook-pruner.js';
import { Webhooks } from './webhooks.js';
import { type WebhookSourceOptions, WebhookSources } from './webhook-sources.js';

export interface WebhookOptions {
  /** By their names, which are the last part of their addresses: `POST /webhooks/payments`. */
  readonly sources: Readonly<Record<string, WebhookSourceOptions>>;
  /** Default `webhooks`. */
  readonly path?: string;
  /** Largest body. Default 256 KiB, at most that. */
  readonly bodyBytesMax?: number;
  /** How long a handler may take. Milliseconds, default 8,000: below the server's idle limit for transactions. */
  readonly handlerTimeoutMs?: number;
  /** How long a webhook waits for its twin that is in progress. Milliseconds, default 2,000. */
  readonly twinWaitMs?: number;
}

/**
 * Webhooks in, for the `@Webhook('source')` methods of the application: `imports: [WebhookModule.forRoot({ sources: { payments: { verifier:
 * standardWebhooks({ secrets }), retention: '7d' } } })]`. Needs MessagingModule. It reads bodies itself, before any parser.
 */
@Module({ imports: [DiscoveryModule] })
export class WebhookModule implements OnModuleInit {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(WebhookSources) private readonly sources: WebhookSources,
  ) {}

  static forRoot(options: WebhookOptions): DynamicModule {
    const { sources, path = 'webhooks', handlerTimeoutMs = 8_000, twinWaitMs = 2_000 } = options;
    const bytesMax = Math.min(options.bodyBytesMax ?? PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX);
    return {
      module: WebhookModule,
      controllers: [webhookController(path)],
      providers: [
        { provide: WebhookSources, useFactory: () => new WebhookSources(sources) },
        {
          provide: RawBodies,
          inject: [HttpAdapterHost, ApplicationConfig],
          useFactory: (host: HttpAdapterHost, config: ApplicationConfig) =>
            new RawBodies(host, config, { path, bytesMax }),
        },
        {
          provide: Webhooks,
          inject: [MessagingRuntime],
          useFactory: ({ transactions }: MessagingRuntime) =>
            new Webhooks(transactions, { handlerTimeoutMs, twinWaitMs }),
        },
        dutyProvider((transactions) => new WebhookPruner(transactions)),
      ],
    };
  }

  /** @throws RefusedToBootError with every problem of sources and handlers */
  onModuleInit(): void {
    for (const { method, name, call } of membersOf(this.discovery, this.scanner)) {
      const source = webhookSourceOf(method);
      if (source !== undefined) this.sources.register(source, call as WebhookHandling, name);
    }
    this.sources.complete();
  }
}
