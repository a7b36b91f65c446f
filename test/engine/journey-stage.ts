import { until } from '@pawl/testing';
import type { Run, RunControl, WorkflowOptions } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Bookings, Departed, JourneyWorkflow, Wanted } from './journey.js';

/** Who asks in these specs, and why. */
export const ANN = { actor: 'ann', reason: 'the customer called' };

export interface KeptAction {
  readonly action: string;
  readonly actor: string;
  readonly reason: string;
  readonly outcome: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Journeys on an engine of their own, and those who control them. */
export class JourneyStage {
  private constructor(
    readonly stage: EngineStage,
    readonly bookings: Bookings,
  ) {}

  static async start(options: Partial<WorkflowOptions> = {}): Promise<JourneyStage> {
    const bookings = new Bookings();
    const workflows = [new JourneyWorkflow(bookings)];
    const stage = await startEngine({ workflows, options: { rescueEveryMs: 20, ...options } });
    return new JourneyStage(stage, bookings);
  }

  control(key: string): RunControl {
    return this.stage.runtime.control.of(JourneyWorkflow, key);
  }

  async want(key: string): Promise<string> {
    return (await this.stage.client.start(JourneyWorkflow, key, new Wanted('Rome'))).runId;
  }

  /** Wanted, and booked. */
  async book(key: string): Promise<string> {
    const id = await this.want(key);
    await this.in(key, { state: 'Booked' });
    return id;
  }

  /** Booked, and on its way: what can not be taken back is done. */
  async depart(key: string): Promise<string> {
    const id = await this.book(key);
    await this.deliver(key, new Departed());
    await this.in(key, { state: 'Travelling', status: 'waiting' });
    return id;
  }

  async deliver(key: string, event: object): Promise<string> {
    const { verdict, rule } = await this.stage.client.deliver(JourneyWorkflow, key, event);
    return `${verdict} ${rule}`;
  }

  async run(key: string): Promise<Run> {
    const run = await this.stage.client.runOf(JourneyWorkflow, key);
    if (run === undefined) throw new Error(`There is no journey ${key}.`);
    return run;
  }

  /** The run, once it is like this and nobody works at it. */
  async in(key: string, like: Partial<Pick<Run, 'status' | 'state'>>): Promise<Run> {
    const wanted = JSON.stringify(like);
    return until(
      async () => {
        const { status, state } = await this.run(key);
        const is = { status, state };
        const isSo = Object.entries(like).every(([name, value]) => is[name as keyof typeof is] === value);
        return isSo && this.stage.runtime.worker.idle ? this.run(key) : undefined;
      },
      { what: `journey ${key} as ${wanted}` },
    );
  }

  /** Name and status of its steps, in the order in which they were begun. */
  async steps(key: string): Promise<string[]> {
    const rows = await this.stage.rows<{ step: string }>(
      `select s.name || case when s.generation > 0 then '/' || s.generation else '' end || ' ' || s.status as step
       from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 order by s.intended_at, s.generation`,
      [key],
    );
    return rows.map(({ step }) => step);
  }

  async actions(key: string): Promise<KeptAction[]> {
    return this.stage.rows<KeptAction>(
      'select action, actor, reason, outcome, detail from pawl.operator_action where key = $1 order by at, id',
      [key],
    );
  }

  /** What people did, by its journal. */
  async journaled(key: string): Promise<string[]> {
    const rows = await this.stage.rows<{ entry: string }>(
      `select j.name || ' by ' || j.detail as entry from pawl.journal j join pawl.run r on r.id = j.run_id
       where r.key = $1 and j.kind = 'control' order by j.revision`,
      [key],
    );
    return rows.map(({ entry }) => entry);
  }
}
