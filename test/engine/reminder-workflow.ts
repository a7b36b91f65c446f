import { MessageType } from '@pawl/messaging';
import { type CompensationContext, type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'invoice.sent', version: 1 })
export class Sent {}

@MessageType({ name: 'invoice.paid', version: 1 })
export class Paid {}

/** What the steps do, as a test wants it. */
export interface Office {
  print(context: StepContext<object>): Promise<void>;
  remind(context: StepContext<object>): Promise<string>;
  recall?(context: CompensationContext<object, string>): Promise<void>;
}

const invoice = workflow<object>()('invoice', {
  version: 1,
  states: ['Sent', 'Reminded', 'Paid'],
  final: ['Reminded', 'Paid'],
});

/** An invoice of which a reminder is sent after a week, unless it is paid before. */
@invoice.Workflow()
export class InvoiceWorkflow {
  constructor(private readonly office: Office) {}

  @invoice.On(Sent, { start: true, to: 'Sent' })
  sent(): void {}

  @invoice.On(Paid, { in: 'Sent', to: 'Paid', competes: true })
  paid(): void {}

  @invoice.Step({ in: 'Sent', after: [], delay: '6d' })
  async print(context: StepContext<object>): Promise<void> {
    return this.office.print(context);
  }

  @invoice.Step({
    in: 'Sent',
    after: [],
    effect: 'external',
    delay: '7d',
    deadline: '8d',
    retry: { backoff: 'fixed', delay: '5h', delayMax: '5h', attempts: 100 },
  })
  async remind(context: StepContext<object>): Promise<string> {
    return this.office.remind(context);
  }

  @invoice.Compensate('remind')
  async recall(context: CompensationContext<object, string>): Promise<void> {
    await this.office.recall?.(context);
  }

  @invoice.Step({ in: 'Sent', to: 'Reminded' })
  async close(): Promise<void> {}
}

const errand = workflow<object>()('hurry', { version: 1, states: ['Open', 'Done'], final: ['Done'] });

/** Its steps have little time, by the clock of the process. */
@errand.Workflow()
export class HurryWorkflow {
  constructor(private readonly office: Office) {}

  @errand.On(Sent, { start: true, to: 'Open' })
  sent(): void {}

  @errand.Step({ in: 'Open', deadline: '50ms' })
  async print(context: StepContext<object>): Promise<void> {
    return this.office.print(context);
  }

  @errand.Step({ in: 'Open', effect: 'external', deadline: '100ms' })
  async remind(context: StepContext<object>): Promise<string> {
    return this.office.remind(context);
  }

  @errand.Compensate('remind')
  async recall(context: CompensationContext<object, string>): Promise<void> {
    await this.office.recall?.(context);
  }

  @errand.Step({ in: 'Open', to: 'Done' })
  async close(): Promise<void> {}
}
