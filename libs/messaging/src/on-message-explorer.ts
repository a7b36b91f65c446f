import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { Json } from '@pawl/core';
import { handledBy, HandlerConsumer, type MessageHandler } from './inbox/on-message.js';
import { membersOf } from './members-of.js';
import { type MessageClass, messageTypeOf } from './message-type.js';
import { MessagingRuntime } from './messaging-runtime.js';

/** Finds the `@OnMessage` methods of all providers and registers them. */
@Injectable()
export class OnMessageExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly runtime: MessagingRuntime,
  ) {}

  /** @throws PawlError `message_type_missing` */
  explore(): void {
    for (const { method, name, call } of membersOf(this.discovery, this.scanner)) {
      for (const type of handledBy(method)) this.register(type, call as MessageHandler<Json>, name);
    }
  }

  private register(type: MessageClass, handler: MessageHandler<Json>, name: string): void {
    const { handlerTimeoutMs, callTimeoutMs, togetherMs } = this.runtime.limits;
    const consumer = new HandlerConsumer(name, type, handler, handlerTimeoutMs, callTimeoutMs, togetherMs);
    this.runtime.consumers.register([messageTypeOf(type).name], consumer);
  }
}
