import { setTimeout as pause } from 'node:timers/promises';
import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'idler.ordered', version: 1 })
class Ordered {}

const idler = workflow<object>()('idler', { version: 1, states: ['Ordered', 'Done'], final: ['Done'] });

const LEASE_MS = 1_000;

@idler.Workflow()
class IdlerWorkflow {
  calls = 0;

  @idler.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  /** Waits for something else while its transaction is open, longer than the server lets it. */
  @idler.Step({ in: 'Ordered', to: 'Done', retry: { attempts: 2, delay: 10 } })
  async wait({ tx }: StepContext<object>): Promise<void> {
    this.calls++;
    await tx.query('select 1');
    await pause(LEASE_MS);
  }
}

describe('A step idles in its transaction', () => {
  const workflowClass = new IdlerWorkflow();
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [workflowClass], options: { leaseMs: LEASE_MS } });
  });
  afterAll(async () => stage.stop());

  it('until the server ends it: that is a failed attempt, and no trouble of the database', async () => {
    await stage.client.start(IdlerWorkflow, 'one', new Ordered());
    const run = await until(async () => {
      const found = await stage.client.runOf(IdlerWorkflow, 'one');
      return found?.status === 'failed' ? found : undefined;
    });
    expect(run.attention).toMatch(/idle/);
    expect(workflowClass.calls).toBe(2);
  });
});
