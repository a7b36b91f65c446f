import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type CompensationContext, PermanentError, type StepContext, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'letters.written', version: 1 })
class Written {
  constructor(readonly to: readonly string[]) {}
}

interface Letters {
  to: readonly string[];
}

const letters = workflow<Letters>()('letters', {
  version: 1,
  states: ['Posting', 'Posted'],
  final: ['Posted'],
});

const calls: string[] = [];
let refused: readonly string[] = [];

@letters.Workflow()
class LettersWorkflow {
  @letters.On(Written, { start: true, to: 'Posting' })
  written(data: Letters, { to }: Written): void {
    data.to = to;
  }

  @letters.Step({
    in: 'Posting',
    to: 'Posted',
    effect: 'external',
    onFailure: 'stop',
    forEach: { items: ({ to }) => to, concurrency: 1 },
    retry: { attempts: 1 },
  })
  async post({ item }: StepContext<Letters>): Promise<void> {
    const name = String(item);
    calls.push(`post ${name}`);
    if (refused.includes(name)) throw new PermanentError(`${name} has moved`);
  }

  @letters.Compensate('post', { retry: { attempts: 1 } })
  async callBack({ item }: CompensationContext<Letters, void>): Promise<void> {
    const name = String(item);
    calls.push(`call back ${name}`);
    if (refused.includes(name)) throw new PermanentError(`${name} keeps it`);
  }
}

const ANN = { actor: 'ann', reason: 'the address is mended' };

describe('A step over items is redriven', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({ workflows: [new LettersWorkflow()], options: { rescueEveryMs: 20 } });
  });
  beforeEach(() => (calls.length = 0));
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage?.stop());

  const control = (key: string) => stage.runtime.control.of(LettersWorkflow, key);
  const rest = async (key: string, status: string) =>
    until(
      async () => {
        const run = await stage.client.runOf(LettersWorkflow, key);
        return run?.status === status && stage.runtime.worker.idle ? run : undefined;
      },
      { what: `${key} as ${status}` },
    );

  it('the items that have given up are made again, those that are done are not', async () => {
    refused = ['Ben'];
    await stage.client.start(LettersWorkflow, 'one', new Written(['Ada', 'Ben', 'Cid']));
    await rest('one', 'failed');
    refused = [];
    calls.length = 0;
    await control('one').redrive(ANN);
    expect(await rest('one', 'completed')).toMatchObject({ state: 'Posted', attention: null });
    expect(calls.filter((call) => call === 'post Ada')).toHaveLength(0);
    expect(calls.toSorted((a, b) => a.localeCompare(b))).toEqual(['post Ben', 'post Cid']);
  });

  it('so are those that could not be undone', async () => {
    refused = ['Cid'];
    await stage.client.start(LettersWorkflow, 'two', new Written(['Ada', 'Ben', 'Cid']));
    await rest('two', 'failed');
    refused = ['Ada'];
    await control('two').cancel(ANN);
    await rest('two', 'compensation_failed');
    refused = [];
    calls.length = 0;
    await control('two').redrive(ANN);
    expect(await rest('two', 'cancelled')).toMatchObject({ attention: null });
    expect(calls).toEqual(['call back Ada']);
  });

  it('or skipped as a whole', async () => {
    refused = ['Ben'];
    await stage.client.start(LettersWorkflow, 'three', new Written(['Ada', 'Ben']));
    await rest('three', 'failed');
    await control('three').skip({ ...ANN, output: 'by courier' });
    await rest('three', 'completed');
    expect(calls).toEqual(['post Ada', 'post Ben']);
  });
});
