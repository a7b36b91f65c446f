import { PermanentError } from '@pawl/workflow';
import { until } from '@pawl/testing';
import { endLease, expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { Departed, JourneyWorkflow } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A failed step is redriven', () => {
  let journeys: JourneyStage;
  const options = { claimsMax: 2 };

  beforeAll(async () => {
    journeys = await JourneyStage.start(options);
  });
  beforeEach(() => {
    journeys.bookings.calls.length = 0;
    journeys.bookings.keys.length = 0;
    journeys.bookings.during = async () => undefined;
  });
  afterEach(async () => expectSound(journeys.stage));
  afterAll(async () => journeys?.stage.stop());

  const failAt = (step: string, error: Error = new PermanentError('fully booked')) => {
    journeys.bookings.during = async (name) => {
      if (name === step) throw error;
    };
  };
  const mend = () => {
    journeys.bookings.during = async () => undefined;
  };

  it('under its key, with fresh attempts, and an event that has waited is taken then', async () => {
    failAt('hotel');
    await journeys.want('mended');
    await journeys.in('mended', { status: 'failed' });
    expect(await journeys.run('mended')).toMatchObject({ attention: 'step hotel failed: fully booked' });
    expect(await journeys.deliver('mended', new Departed())).toBe('early run-failed');
    mend();
    expect(await journeys.control('mended').redrive(ANN)).toMatchObject({ status: 'running', changed: true });
    expect(await journeys.in('mended', { state: 'Travelling' })).toMatchObject({ attention: null });
    const [first, second] = journeys.bookings.keysOf('hotel');
    expect(second).toBe(first);
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'hotel', 'checkIn']);
  });

  it('with other data under another key, and the journal says what was changed', async () => {
    failAt('hotel');
    await journeys.want('elsewhere');
    await journeys.in('elsewhere', { status: 'failed' });
    mend();
    await journeys.control('elsewhere').redrive({ ...ANN, data: { to: 'Pisa' } });
    expect(await journeys.in('elsewhere', { state: 'Booked' })).toMatchObject({ data: { to: 'Pisa' } });
    expect(await journeys.steps('elsewhere')).toEqual(['flight done', 'hotel failed', 'hotel/1 done']);
    const [first, second] = journeys.bookings.keysOf('hotel');
    expect(second).not.toBe(first);
    const kept = await journeys.stage.rows(
      `select idempotency_key as key from pawl.step s join pawl.run r on r.id = s.run_id
       where r.key = 'elsewhere' and s.name = 'hotel' order by generation`,
    );
    expect(kept.map((row) => `hotel ${(row as { key: string }).key}`)).toEqual([first, second]);
    const [entry] = await journeys.stage.rows(`select payload from pawl.journal where kind = 'control'
       and run_id = (select id from pawl.run where key = 'elsewhere')`);
    expect(entry).toEqual({ payload: { patch: { to: 'Pisa' }, before: { to: 'Rome' } } });
  });

  it('once under one id, which stands for these data and no others', async () => {
    failAt('hotel');
    await journeys.want('once');
    await journeys.in('once', { status: 'failed' });
    mend();
    const id = '0195c0de-0000-7000-8000-00000000d0d0';
    const order = { ...ANN, id, data: { to: 'Pisa', remarks: ['late', 1.5] } };
    await journeys.control('once').redrive(order);
    await journeys.in('once', { state: 'Booked' });
    expect(await journeys.control('once').redrive(order)).toMatchObject({ changed: true });
    const other = journeys.control('once').redrive({ ...order, data: { to: 'Siena' } });
    await expect(other).rejects.toMatchObject({ details: { code: 'id_reused' } });
  });

  it('with other data never while an attempt may have taken effect', async () => {
    failAt('hotel', new Error('the line went dead'));
    await journeys.want('doubtful');
    await journeys.in('doubtful', { status: 'failed' });
    mend();
    const terms = { ...ANN, data: { to: 'Pisa' } };
    await expect(journeys.control('doubtful').redrive(terms)).rejects.toMatchObject({
      details: { code: 'step_in_doubt' },
    });
    await journeys.control('doubtful').redrive({ ...terms, assume: 'not-happened' });
    await journeys.in('doubtful', { state: 'Booked' });
    await journeys.control('doubtful').cancel(ANN);
    await journeys.in('doubtful', { status: 'cancelled' });
    expect(journeys.bookings.calls.filter((name) => name === 'cancelHotel')).toHaveLength(1);
    expect(await journeys.actions('doubtful')).toMatchObject([
      { outcome: 'step_in_doubt' },
      { outcome: 'done', detail: { assume: 'not-happened', data: { to: 'Pisa' } } },
      { action: 'cancel' },
    ]);
  });

  it('as having happened: then it is undone with the others', async () => {
    failAt('hotel', new Error('the line went dead'));
    await journeys.want('happened');
    await journeys.in('happened', { status: 'failed' });
    mend();
    await journeys.control('happened').redrive({ ...ANN, assume: 'happened', output: 'room 7' });
    await journeys.in('happened', { state: 'Booked' });
    await journeys.control('happened').cancel(ANN);
    await journeys.in('happened', { status: 'cancelled' });
    expect(journeys.bookings.calls).toContain('cancelHotel');
  });

  it('a compensation that has given up too: the others were undone meanwhile', async () => {
    await journeys.book('stuck');
    failAt('cancelHotel');
    await journeys.control('stuck').cancel(ANN);
    await journeys.in('stuck', { status: 'compensation_failed' });
    expect(journeys.bookings.calls).toContain('cancelFlight');
    mend();
    await journeys.control('stuck').redrive(ANN);
    expect(await journeys.in('stuck', { status: 'cancelled' })).toMatchObject({ attention: null });
  });

  it('by two people at once: one of them does', async () => {
    failAt('hotel');
    await journeys.want('twice');
    await journeys.in('twice', { status: 'failed' });
    mend();
    const control = journeys.control('twice');
    const answers = await Promise.allSettled([control.redrive(ANN), control.redrive(ANN)]);
    expect(answers.filter((one) => one.status === 'fulfilled' && one.value.changed)).toHaveLength(1);
    await journeys.in('twice', { state: 'Booked' });
    expect(journeys.bookings.calls.filter((name) => name === 'hotel')).toHaveLength(2);
  });

  it.each(['flight', 'cancelFlight'])('a run that was quarantined, in %s', async (deadly) => {
    const key = `poison in ${deadly}`;
    const dying = new Barrier();
    journeys.bookings.during = async (name) => (name === deadly ? dying.stop() : undefined);
    await journeys.want(key);
    if (deadly === 'cancelFlight') {
      await journeys.in(key, { state: 'Booked' });
      await journeys.control(key).cancel(ANN);
    }
    const zombies: (() => void)[] = [];
    for (let died = 0; died < options.claimsMax; died++) {
      zombies.push(await dying.arrival());
      await endLease(journeys.stage, key);
    }
    const other = await quarantining();
    await until(async () => (await journeys.run(key)).attention, { what: 'quarantine' });
    await other.stop();
    mend();
    for (const goOn of zombies) goOn();
    await until(() => journeys.stage.runtime.worker.idle);
    await journeys.book(`healthy beside ${key}`);

    expect(await journeys.control(key).redrive(ANN)).toMatchObject({ changed: true });
    const end = deadly === 'flight' ? { state: 'Booked' } : { status: 'cancelled' as const };
    expect(await journeys.in(key, end)).toMatchObject({ attention: null });
  });

  /** The duty looks when an engine starts. */
  async function quarantining(): Promise<EngineStage> {
    const workflows = [new JourneyWorkflow(journeys.bookings)];
    return startEngine({ workflows, url: journeys.stage.url, options: { ...options, rescueEveryMs: 20 } });
  }
});
