import { invariant } from '@pawl/core';
import {
  EffectLedger,
  type ForkedService,
  forkService,
  testDatabase,
  type TestEngine,
  until,
} from '@pawl/testing';
import { expectSound } from '../engine/engine-checks.js';
import { JOURNEY_SCHEMA, JourneyCalledOff, JourneyOrdered, JourneyWorkflow } from './journey.js';
import { openJourneys } from './journey-service.js';

/** One journey in a database of its own, with a worker that dies at a crash point and a successor. */
export class JourneyStage {
  private readonly key = 'one';
  private worker: ForkedService | undefined;

  private constructor(
    private readonly databaseUrl: string,
    private readonly client: TestEngine,
    private readonly ledger: EffectLedger,
  ) {}

  /** Plays one journey, and takes everything away. */
  static async play(story: (stage: JourneyStage) => Promise<void>): Promise<void> {
    const database = await testDatabase();
    const ledger = EffectLedger.create();
    const client = await openJourneys(database.url, ledger, false);
    const stage = new JourneyStage(database.url, client, ledger);
    try {
      await client.rows(JOURNEY_SCHEMA);
      await story(stage);
      await expectSound(client);
    } finally {
      stage.worker?.kill('SIGKILL');
      await stage.worker?.exited;
      await client.stop();
      await database.drop();
      ledger.remove();
    }
  }

  /** @param how what becomes of its car, see the workflow */
  async begin(crashPoint: string, how: 'well' | 'cut off' | 'unsent' = 'well'): Promise<void> {
    const env = { JOURNEY_DATABASE: this.databaseUrl, JOURNEY_EFFECTS: this.ledger.file };
    this.worker = forkService('test/crash/journey-service.ts', { env, crashPoint });
    await this.worker.ready();
    await this.client.client.start(JourneyWorkflow, this.key, new JourneyOrdered(how));
  }

  async callOff(): Promise<void> {
    await this.client.client.deliver(JourneyWorkflow, this.key, new JourneyCalledOff());
  }

  async comesTo(status: string, state: string): Promise<void> {
    const there = async (): Promise<boolean> => {
      const run = await this.client.client.runOf(JourneyWorkflow, this.key);
      return run?.status === status && run.state === state;
    };
    await until(there, { what: `the journey ${status} in ${state}`, timeoutMs: 40_000 });
  }

  /** Waits until the worker has died at its crash point; then another one works until the journey is there. */
  async succeed(
    status: string,
    state: string,
    meanwhile: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    await this.worker?.exited;
    // Not by any other way: then the story would say nothing.
    invariant(this.worker?.crashed(), 'The worker has died at its crash point');
    await meanwhile();
    const successor = await openJourneys(this.databaseUrl, this.ledger);
    try {
      await this.comesTo(status, state);
    } finally {
      await successor.stop();
    }
  }

  /** What the other sides have done, each under its key, in order; `all` also what came again, which they recognise by it. */
  effects({ all = false } = {}): string[][] {
    const { effects } = this.ledger;
    return (all ? effects : [...new Set(effects)]).map((effect) => effect.split(' '));
  }

  async inTheDatabase(): Promise<string[]> {
    const rows = await this.client.rows<{ step: string }>('select step from app.effect order by id');
    return rows.map(({ step }) => step);
  }

  async losses(): Promise<unknown[]> {
    return this.client.rows('select subject, reason from pawl.loss');
  }
}
