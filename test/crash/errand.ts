import { MessageType, route } from '@pawl/messaging';
import { type StepContext, workflow } from '@pawl/workflow';

/** The second service of the crash tests: it writes down what it is told. */
export const toArchive = route({ to: 'archive', partitions: 2 });

@MessageType({ name: 'errand.ordered', version: 1 })
export class Ordered {
  constructor(readonly what: string) {}
}

@MessageType({ name: 'errand.finished', version: 1 })
export class Finished {
  constructor(readonly receipt: string) {}
}

/** The application's own table: no key, so a second effect is a second row. */
export const SCHEMA = `create schema app;
  create table app.effect (id bigserial primary key, key text not null, step text not null);
  create table app.counter (name text primary key, n int not null)`;

/** What the steps call outside of their transaction; the test runs it. */
export interface Outside {
  pay(context: StepContext<Errand>): Promise<string>;
}

export interface Errand {
  what?: string;
}

const errand = workflow<Errand>()('errand', { version: 1, states: ['Ordered', 'Done'], final: ['Done'] });
const retry = { delay: 50, delayMax: 50, attempts: 20 };
/** Long enough that a worker gives the run back meanwhile, also on a busy machine. */
const outsideRetry = { ...retry, backoff: 'fixed', delay: 500, delayMax: 500 } as const;

/** Transactional, external, transactional; its start and its end are told to the archive. */
@errand.Workflow()
export class ErrandWorkflow {
  constructor(private readonly outside: Outside) {}

  @errand.On(Ordered, { start: true, to: 'Ordered', publish: toArchive })
  ordered(data: Errand, event: Ordered): void {
    data.what = event.what;
  }

  @errand.Step({ in: 'Ordered', retry })
  async reserve({ tx, key }: StepContext<Errand>): Promise<void> {
    await tx.query(`insert into app.effect (key, step) values ($1, 'reserve')`, [key]);
    // The row of this key is locked until the transaction ends, however it ends.
    await tx.query(
      `insert into app.counter values ($1, 1) on conflict (name) do update set n = app.counter.n + 1`,
      [key],
    );
  }

  @errand.Step({ in: 'Ordered', effect: 'external', retry: outsideRetry })
  async pay(context: StepContext<Errand>): Promise<string> {
    return this.outside.pay(context);
  }

  @errand.Step({ in: 'Ordered', to: 'Done', retry })
  async finish({ tx, key, outputs, send }: StepContext<Errand>): Promise<void> {
    await tx.query(`insert into app.effect (key, step) values ($1, 'finish')`, [key]);
    send(toArchive, new Finished(String(outputs['pay'])));
  }
}
