import { MessageType } from '@pawl/messaging';
import { type CompensationContext, type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'batch.sent', version: 1 })
export class BatchSent {
  constructor(readonly names: readonly string[]) {}
}

@MessageType({ name: 'batch.withdrawn', version: 1 })
export class BatchWithdrawn {}

export interface Batch {
  names: readonly string[];
}

export const ITEM_EFFECTS = `create schema app;
  create table app.effect (id bigserial, key text not null, step text not null, item int not null, note text)`;

/** What happens while an item is at work, or undone, as a test wants it. */
export interface ItemHooks {
  book?(context: StepContext<Batch>): Promise<unknown>;
  unbook?(context: CompensationContext<Batch, unknown>): Promise<unknown>;
}

/** A batch whose items are booked one by one, in a transaction or elsewhere, and taken back if the batch is withdrawn. */
export function batchWorkflow({
  name = 'batch',
  effect = 'transactional',
  onItemFailure = 'stop',
  concurrency = 4,
  attempts = 2,
  delay = 20,
  timeout = 30_000,
  noteEvery = 1,
  hooks = {},
}: {
  readonly name?: string;
  readonly effect?: 'transactional' | 'external';
  readonly onItemFailure?: 'stop' | 'continue';
  readonly concurrency?: number;
  readonly attempts?: number;
  /** Until the next attempt. Milliseconds. */
  readonly delay?: number;
  /** Of one attempt. Milliseconds. */
  readonly timeout?: number;
  /** Only each so-manieth item has an effect that can be counted. */
  readonly noteEvery?: number;
  readonly hooks?: ItemHooks;
} = {}) {
  const batch = workflow<Batch>()(name, {
    version: 1,
    states: ['Sent', 'Booked', 'Withdrawn'],
    final: ['Booked', 'Withdrawn'],
  });
  const retry = { attempts, backoff: 'fixed', delay } as const;

  @batch.Workflow()
  class BatchWorkflow {
    @batch.On(BatchSent, { start: true, to: 'Sent' })
    sent(data: Batch, event: BatchSent): void {
      data.names = event.names;
    }

    @batch.On(BatchWithdrawn, { in: 'Sent', to: 'Withdrawn', undo: true, competes: true })
    withdrawn(): void {}

    @batch.Step({
      in: 'Sent',
      effect,
      retry,
      timeout,
      forEach: { items: (data) => data.names, concurrency, onItemFailure },
    })
    async book(context: StepContext<Batch>): Promise<unknown> {
      if (effect === 'transactional' && context.index % noteEvery === 0)
        await context.tx.query(`insert into app.effect (key, step, item, note) values ($1, 'book', $2, $3)`, [
          context.key,
          context.index,
          context.item,
        ]);
      return (await hooks.book?.(context)) ?? `${String(context.item)} booked`;
    }

    @batch.Compensate('book', { retry: { ...retry, delay: 20 }, effect: 'transactional' })
    async unbook(context: CompensationContext<Batch, unknown>): Promise<void> {
      const { tx, key, index, outcome, output } = context;
      await tx.query(`insert into app.effect (key, step, item, note) values ($1, 'unbook', $2, $3)`, [
        key,
        index,
        outcome === 'done' ? String(output) : outcome,
      ]);
      await hooks.unbook?.(context);
    }

    @batch.Step({ in: 'Sent', to: 'Booked' })
    async report({ tx, key, outputs }: StepContext<Batch>): Promise<void> {
      await tx.query(`insert into app.effect (key, step, item, note) values ($1, 'report', -1, $2)`, [
        key,
        JSON.stringify(outputs['book']),
      ]);
    }
  }
  return BatchWorkflow;
}
