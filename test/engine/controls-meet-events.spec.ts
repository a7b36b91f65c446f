import { until } from '@pawl/testing';
import { ControlRefusedError, NoEffectError, PermanentError, type RunControl } from '@pawl/workflow';
import { Dice } from '../crash/dice.js';
import { expectSound } from './engine-checks.js';
import { Departed, Remarked, Returned } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

const RUNS = 8;
const ORDERS = 10;
const OVER = ['completed', 'compensated', 'cancelled', 'terminated'];

/** What people may ask for at any time, by chance. */
const ACTIONS: readonly ((run: RunControl) => Promise<unknown>)[] = [
  async (run) => run.pause(ANN),
  async (run) => run.resume(ANN),
  async (run) => run.redrive(ANN),
  async (run) => run.redrive({ ...ANN, data: { to: 'Pisa' } }),
  async (run) => run.skip({ ...ANN, output: null }),
  async (run) => run.cancel(ANN),
  async (run) => run.terminate(ANN),
];

describe('Controls meet events', () => {
  let journeys: JourneyStage;
  const dice = Dice.fromEnvironment();
  const keys = Array.from({ length: RUNS }, (_, n) => `run ${n}`);
  /** What is booked, by run. */
  const booked = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]));
  let isCalm = false;

  beforeAll(async () => {
    journeys = await JourneyStage.start();
    journeys.bookings.during = async (name, { key }) => {
      trouble();
      act(name, key);
      if (!isCalm && dice.between(0, 6) === 0) throw new Error('the line went dead behind it');
    };
  });
  afterAll(async () => journeys?.stage.stop());

  function trouble(): void {
    const fate = isCalm ? 99 : dice.between(0, 8);
    if (fate === 0) throw new NoEffectError('busy');
    if (fate === 1) throw new PermanentError('no');
  }

  /** Booking twice is booking once: the gateway knows the key. */
  function act(name: string, key: string): void {
    if (name === 'flight' || name === 'hotel') booked.get(key)?.add(name);
    if (name === 'cancelFlight') booked.get(key)?.delete('flight');
    if (name === 'cancelHotel') booked.get(key)?.delete('hotel');
  }

  async function disturb(key: string): Promise<void> {
    const run = journeys.control(key);
    for (let n = 0; n < ORDERS; n++) {
      // Ends seldom, so that the others have something to meet.
      const ask = ACTIONS[dice.between(0, dice.between(0, 8) === 0 ? 7 : 5)];
      await ask?.(run).catch((error: unknown) => {
        if (!(error instanceof ControlRefusedError)) throw error;
      });
    }
  }

  async function tell(key: string): Promise<void> {
    const events = [
      new Departed(),
      new Returned(),
      ...['a', 'b', 'c', 'd'].map((words) => new Remarked(words)),
    ];
    for (const event of events) await journeys.deliver(key, event);
  }

  it(`each run stays whole, and can be brought to an end (SEED=${dice.seed})`, async () => {
    await Promise.all(keys.map(async (key) => journeys.want(key)));
    await Promise.all(keys.flatMap((key) => [disturb(key), disturb(key), tell(key)]));
    await until(() => journeys.stage.runtime.worker.idle);
    await expectSound(journeys.stage);

    isCalm = true;
    for (const key of keys) await bringToAnEnd(key);
    await expectSound(journeys.stage);
    const timers = `select 1 from pawl.timer t join pawl.run r on r.id = t.run_id where r.status = any ($1)`;
    expect(await journeys.stage.rows(timers, [OVER])).toEqual([]);
    for (const key of keys) await expectUndone(key);
  });

  /** Whatever stands still is redriven, or else cancelled. */
  async function bringToAnEnd(key: string): Promise<void> {
    await until(
      async () => {
        const { status } = await journeys.run(key);
        if (OVER.includes(status)) return true;
        const run = journeys.control(key);
        if (status === 'paused') await run.resume(ANN);
        if (status === 'failed' || status === 'compensation_failed') await run.redrive(ANN);
        if (status === 'waiting')
          await run.cancel(ANN).catch(async () => journeys.deliver(key, new Returned()));
        return false;
      },
      { what: `the end of ${key}` },
    );
    await until(() => journeys.stage.runtime.worker.idle);
  }

  /** Nothing is left of what was undone, but what a person has skipped. */
  async function expectUndone(key: string): Promise<void> {
    const { status } = await journeys.run(key);
    const skipped = (await journeys.steps(key)).some((step) => step.endsWith('skipped'));
    if (skipped || !['cancelled', 'compensated'].includes(status)) return;
    expect({ key, status, booked: [...(booked.get(key) ?? [])] }).toEqual({ key, status, booked: [] });
  }
});
