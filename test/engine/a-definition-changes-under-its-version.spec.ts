import { MessageType } from '@pawl/messaging';
import { type StepContext, workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'form.filed', version: 1 })
class Filed {}

function form(version: number, step: string): object {
  const decorators = workflow<object>()('form', {
    version,
    states: ['Filed', 'Checked'],
    final: ['Checked'],
  });
  class FormWorkflow {}
  const { prototype } = FormWorkflow;
  const filed = (): void => undefined;
  Object.defineProperty(prototype, 'filed', { value: filed });
  decorators.On(Filed, { start: true, to: 'Filed' })(prototype, 'filed', { value: filed });
  const check = async (_context: StepContext<object>): Promise<void> => undefined;
  Object.defineProperty(prototype, step, { value: check });
  decorators.Step({ in: 'Filed', to: 'Checked' })(prototype, step, { value: check });
  decorators.Workflow()(FormWorkflow);
  return new FormWorkflow();
}

describe('A definition changes under its version', () => {
  let stage: EngineStage;
  const others: EngineStage[] = [];

  beforeAll(async () => {
    stage = await startEngine({ workflows: [form(1, 'check')] });
  });
  afterAll(async () => {
    await Promise.all(others.map((one) => one.stop()));
    await stage.stop();
  });

  async function boot(...workflows: object[]): Promise<void> {
    const one = await startEngine({ workflows, url: stage.url, start: false });
    others.push(one);
    await one.runtime.keepDefinitions();
    one.runtime.start();
  }

  it('boot is refused, and the error names the remedy, what was and what is', async () => {
    const booting = boot(form(1, 'inspect'));
    await expect(booting).rejects.toMatchObject({ code: 'definition_changed' });
    const lines = [
      '1. form version 1 has changed since it was first run: raise its version, .* `pawl definitions check --workflow form --version 1`.*',
      'step check is gone; it was in Filed, to Checked, effect transactional',
      'step inspect is new: in Filed, to Checked, effect transactional$',
    ];
    await expect(booting).rejects.toThrow(new RegExp(lines.join('\\n *')));
  });

  it('the same definition boots again, and so does another version beside it', async () => {
    await boot(form(1, 'check'));
    await boot(form(1, 'check'), form(2, 'inspect'));
    expect(await stage.rows('select version from pawl.definition order by version')).toEqual([
      { version: 1 },
      { version: 2 },
    ]);
  });
});
