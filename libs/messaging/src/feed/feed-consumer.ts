import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { RefusedToBootError } from '@pawl/core';
import { handledBy } from '../inbox/on-message.js';
import { MessagingRuntime } from '../messaging-runtime.js';
import type { FeedSource } from './feed-options.js';

/** Which feed is pulled. What is not said here is taken from `MessagingModule.forRoot({ feeds })`. */
export type FeedConsumerOptions = Pick<FeedSource, 'from'> & Partial<Omit<FeedSource, 'pull'>>;

const CONSUMED = Symbol.for('pawl.feed-consumer');

/**
 * Has this service pull the messages that another one has for it; the `@OnMessage` methods of the class receive them:
 *
 * ```ts
 * @Injectable()
 * @FeedConsumer({ from: 'orders' })
 * export class Arrivals {
 *   @OnMessage(OrderSubmitted)
 *   async submitted(order: OrderSubmitted, { manager }: MessageContext) { ... }
 * }
 * ```
 *
 * Where a partition has been read up to is committed in the handler's transaction. It is the inbox's own watermark, so the same messages may
 * come over the bus as well.
 */
export function FeedConsumer(options: FeedConsumerOptions): ClassDecorator {
  return (target) => {
    Object.defineProperty(target, CONSUMED, { value: options });
  };
}

/** Finds the classes with `@FeedConsumer` and makes their feeds known, before the first is pulled. */
@Injectable()
export class FeedConsumerExplorer implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly runtime: MessagingRuntime,
  ) {}

  /** @throws RefusedToBootError `feeds_invalid` */
  onModuleInit(): void {
    const instances = this.discovery
      .getProviders()
      .filter((wrapper) => wrapper.isDependencyTreeStatic() && wrapper.instance)
      .map(({ instance }) => instance as object);
    const problems = [...new Set(instances)].flatMap((instance) =>
      this.register(instance.constructor, instance),
    );
    if (problems.length > 0)
      throw new RefusedToBootError('feeds_invalid', 'Feeds can not be read:', problems);
  }

  private register(type: Function, instance: object): string[] {
    const options = Object.hasOwn(type, CONSUMED)
      ? (type as unknown as { [CONSUMED]: FeedConsumerOptions })[CONSUMED]
      : undefined;
    if (options === undefined) return [];
    const name = `@FeedConsumer on ${type.name}`;
    if (!handles(instance)) return [`${name}: none of its methods has @OnMessage`];
    return this.runtime.feeds.pull(options).map((problem) => `${name}: ${problem}`);
  }
}

function handles(instance: object): boolean {
  const members = Object.getOwnPropertyNames(Object.getPrototypeOf(instance));
  return members.some((member) => handledBy((instance as Record<string, unknown>)[member]).length > 0);
}
