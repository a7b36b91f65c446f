import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { handledBy, HandlerConsumer, type MessageHandler } from './inbox/on-message.js';
import { messageTypeOf } from './message-type.js';
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
    const instances = [...this.discovery.getProviders(), ...this.discovery.getControllers()]
      .filter((wrapper) => wrapper.isDependencyTreeStatic() && wrapper.instance)
      .map(({ instance }) => instance as Record<string, unknown>);
    for (const instance of new Set(instances)) this.register(instance);
  }

  private register(instance: Record<string, unknown>): void {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) return;
    for (const member of this.scanner.getAllMethodNames(prototype)) {
      for (const type of handledBy(instance[member])) {
        const handler = (instance[member] as MessageHandler<unknown>).bind(instance);
        const name = `${instance.constructor.name}.${member}`;
        const { handlerTimeoutMs, callTimeoutMs, togetherMs } = this.runtime.limits;
        const consumer = new HandlerConsumer(
          name,
          type,
          handler,
          handlerTimeoutMs,
          callTimeoutMs,
          togetherMs,
        );
        this.runtime.consumers.register([messageTypeOf(type).name], consumer);
      }
    }
  }
}
