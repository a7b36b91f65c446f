import type { Delivery, Transport } from '@pawl/messaging';
import { contentOf, type TestService } from './service-pair.js';

type Content = ReturnType<typeof contentOf>;

/** A bus on which nothing moves until the test carries it, in any order and as often as it likes. */
export class HandCarried implements Transport {
  private readonly waiting: { readonly to: string; readonly content: Content }[] = [];

  async publish(to: string, deliveries: readonly Delivery[]): Promise<void> {
    this.waiting.push(...deliveries.map((delivery) => ({ to, content: contentOf(delivery) })));
  }

  async backlog(): Promise<number> {
    return 0;
  }

  async consume(): Promise<{ close: () => Promise<void> }> {
    return { close: async () => undefined };
  }

  async close(): Promise<void> {
    this.waiting.length = 0;
  }

  /** Takes out what waits for a service, of one kind: `message`, `question`, `answer`, `acknowledgement`, `settlement`, `settled`. */
  take(to: string, kind: string): Content[] {
    const taken = this.waiting.filter((each) => each.to === to && kindOf(each.content) === kind);
    for (const each of taken) this.waiting.splice(this.waiting.indexOf(each), 1);
    return taken.map(({ content }) => content);
  }

  /** Carries everything, there and back, until nothing is left. */
  async carryAll(...services: readonly TestService[]): Promise<void> {
    while (this.waiting.length > 0) {
      const { to, content } = this.waiting.shift() as (typeof this.waiting)[number];
      await hand(services.find(({ name }) => name === to) as TestService, content);
    }
  }
}

export async function hand(service: TestService, ...contents: readonly Content[]): Promise<void> {
  await service.runtime.receiver.receive(contents, false);
}

function kindOf(content: Content): string {
  if ('specversion' in content) return 'message';
  return Object.keys(content).find((name) => name !== 'pawlversion') ?? '';
}
