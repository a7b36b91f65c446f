import { MessageType, route } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { endLease, expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'meal.ordered', version: 1 })
class Ordered {}

@MessageType({ name: 'meal.course', version: 1 })
class Course {
  constructor(readonly name: string) {}
}

const table = route({ to: 'table', partitions: 1 });
const meal = workflow<object>()('meal', { version: 1, states: ['Ordered', 'Served'], final: ['Served'] });

@meal.Workflow()
class MealWorkflow {
  constructor(private readonly during: (name: string, context: StepContext<object>) => Promise<void>) {}

  @meal.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @meal.Step({ in: 'Ordered' })
  async starter(context: StepContext<object>): Promise<string> {
    return this.serve('starter', context);
  }

  @meal.Step({ in: 'Ordered', retry: { delay: 5, attempts: 3 } })
  async main(context: StepContext<object>): Promise<string> {
    return this.serve('main', context);
  }

  @meal.Step({ in: 'Ordered', alone: true })
  async flambe(context: StepContext<object>): Promise<string> {
    return this.serve('flambe', context);
  }

  @meal.Step({ in: 'Ordered', to: 'Served' })
  async dessert(context: StepContext<object>): Promise<string> {
    return this.serve('dessert', context);
  }

  private async serve(name: string, context: StepContext<object>): Promise<string> {
    const { tx, key, send } = context;
    await tx.query('insert into app.course (key, name, xact) values ($1, $2, pg_current_xact_id()::text)', [
      key,
      name,
    ]);
    send(table, new Course(name));
    await this.during(name, context);
    return Object.keys(context.outputs).join();
  }
}

describe('Steps share a transaction', () => {
  let stage: EngineStage;
  let during: (name: string, context: StepContext<object>) => Promise<void> = async () => undefined;

  beforeAll(async () => {
    const schema =
      'create schema app; create table app.course (id bigserial, key text, name text, xact text)';
    const workflows = [new MealWorkflow((name, context) => during(name, context))];
    stage = await startEngine({ workflows, schema, options: { rescueEveryMs: 20 } });
  });
  beforeEach(() => {
    during = async () => undefined;
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  /** The courses served, those of one transaction together. */
  const served = async (key: string): Promise<string[]> => {
    const rows = await stage.rows<{ names: string }>(
      `select string_agg(name, '+' order by id) as names from app.course where key = $1 group by xact order by min(id)`,
      [key],
    );
    return rows.map(({ names }) => names);
  };
  const steps = async (key: string) =>
    stage.rows(
      `select s.name, s.attempts, s.output, jsonb_array_length(s.errors) as errors from pawl.step s
       join pawl.run r on r.id = s.run_id where r.key = $1 order by s.finished_at, array_position(array['starter', 'main', 'flambe', 'dessert'], s.name)`,
      [key],
    );
  const messages = async (key: string) =>
    (
      await stage.rows<{ name: string }>(
        `select payload ->> 'name' as name from pawl.outbox where key = $1 order by position`,
        [key],
      )
    ).map(({ name }) => name);
  async function serveAll(key: string): Promise<void> {
    await stage.client.start(MealWorkflow, key, new Ordered());
    await until(async () => (await stage.client.runOf(MealWorkflow, key))?.status === 'completed');
  }
  const record = (name: string, output: string, errors = 0) => ({
    name,
    attempts: errors + 1,
    output,
    errors,
  });

  it('neighbours do, unless one wants to be alone', async () => {
    await serveAll('together');
    expect(await served('together')).toEqual(['starter+main', 'flambe', 'dessert']);
    expect(await steps('together')).toEqual([
      record('starter', ''),
      record('main', 'starter'),
      record('flambe', 'starter,main'),
      record('dessert', 'starter,main,flambe'),
    ]);
    expect(await messages('together')).toEqual(['starter', 'main', 'flambe', 'dessert']);
  });

  it('one throws: all are rolled back and run again one by one, and the group has spent no attempt', async () => {
    let calls = 0;
    during = async (name) => {
      if (name === 'main' && ++calls === 1) throw new Error('burnt');
    };
    await serveAll('burnt');
    expect(await served('burnt')).toEqual(['starter', 'main', 'flambe', 'dessert']);
    expect((await steps('burnt')).slice(0, 2)).toEqual([record('starter', ''), record('main', 'starter')]);
    expect(await messages('burnt')).toEqual(['starter', 'main', 'flambe', 'dessert']);
  });

  it('one throws again when alone: that is its own attempt, and the others keep theirs', async () => {
    let calls = 0;
    during = async (name) => {
      if (name === 'main' && ++calls < 3) throw new Error('burnt');
    };
    await serveAll('burnt twice');
    expect((await steps('burnt twice')).slice(0, 2)).toEqual([
      record('starter', ''),
      record('main', 'starter', 1),
    ]);
    expect(await messages('burnt twice')).toEqual(['starter', 'main', 'flambe', 'dessert']);
  });

  it('not after a claim that made no progress', async () => {
    const hanging = new Barrier();
    during = async (name) => {
      if (name === 'starter') await hanging.stop();
    };
    await stage.client.start(MealWorkflow, 'hung', new Ordered());
    const zombie = await hanging.arrival();
    await endLease(stage, 'hung');
    (await hanging.arrival())();
    await until(async () => (await stage.client.runOf(MealWorkflow, 'hung'))?.status === 'completed');
    zombie();
    expect(await served('hung')).toEqual(['starter', 'main', 'flambe', 'dessert']);
  });
});
