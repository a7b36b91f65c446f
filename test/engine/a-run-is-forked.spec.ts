import { expectSound } from './engine-checks.js';
import { Departed, JourneyWorkflow, Remarked } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A run is forked', () => {
  let journeys: JourneyStage;

  beforeAll(async () => {
    journeys = await JourneyStage.start();
  });
  beforeEach(() => {
    journeys.bookings.calls.length = 0;
  });
  afterEach(async () => expectSound(journeys.stage));
  afterAll(async () => journeys?.stage.stop());

  const revisionOf = async (key: string, name: string) => {
    const [row] = await journeys.stage.rows<{ revision: number }>(
      `select j.revision::int from pawl.journal j join pawl.run r on r.id = j.run_id where r.key = $1 and j.name = $2
       order by j.revision limit 1`,
      [key, name],
    );
    return row?.revision ?? 0;
  };

  it('from where all was booked: what was done is skipped there, and it goes its own way', async () => {
    const from = await journeys.depart('one');
    const revision = await revisionOf('one', 'hotel');
    journeys.bookings.calls.length = 0;
    const answer = await journeys.control('one').fork({ ...ANN, key: 'one again', revision });
    expect(answer).toMatchObject({ status: 'waiting', state: 'Booked', changed: true });
    expect(await journeys.steps('one again')).toEqual(['flight skipped', 'hotel skipped']);
    expect(await journeys.stage.rows(`select forked_from from pawl.run where key = 'one again'`)).toEqual([
      { forked_from: from },
    ]);
    const timers = `select member from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = 'one again'`;
    expect(await journeys.stage.rows(timers)).toEqual([{ member: 'nobodyCame' }]);

    await journeys.deliver('one again', new Departed());
    await journeys.in('one again', { state: 'Travelling', status: 'waiting' });
    expect(journeys.bookings.calls).toEqual(['checkIn']);
    expect(await journeys.journaled('one')).toEqual(['fork by ann: the customer called']);
    expect(await journeys.journaled('one again')).toEqual(['fork by ann: the customer called']);
    expect(await journeys.actions('one')).toMatchObject([
      { action: 'fork', detail: { key: 'one again', revision } },
    ]);
  });

  it('again under the same key: it is there', async () => {
    const revision = await revisionOf('one', 'hotel');
    const again = await journeys.control('one').fork({ ...ANN, key: 'one again', revision });
    expect(again).toMatchObject({ changed: false, state: 'Travelling' });
    const taken = journeys.control('one again').fork({ ...ANN, key: 'one', revision });
    await expect(taken).rejects.toMatchObject({ details: { code: 'key_taken' } });
  });

  it('from its start, in the middle of its events: it knows those that it has seen, and makes its steps anew', async () => {
    await journeys.book('two');
    await journeys.deliver('two', new Remarked('window seat'));
    const revision = await revisionOf('two', 'journey.wanted');
    journeys.bookings.calls.length = 0;
    const { runId } = await journeys.control('two').fork({ ...ANN, key: 'two from the start', revision });
    await journeys.in('two from the start', { state: 'Booked' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel']);

    const later = await revisionOf('two', 'journey.remarked');
    await journeys.control('two').fork({ ...ANN, key: 'two with a remark', revision: later });
    expect(await journeys.run('two with a remark')).toMatchObject({ data: { remarks: ['window seat'] } });
    expect(await journeys.deliver('two with a remark', new Remarked('window seat'))).toBe(
      'duplicate key-seen',
    );
    expect(await journeys.deliver('two from the start', new Remarked('window seat'))).toBe(
      'applied accepted',
    );
    expect(await journeys.stage.client.runOf(JourneyWorkflow, 'two from the start')).toMatchObject({
      id: runId,
    });
  });

  it('with the data of a redrive', async () => {
    journeys.bookings.during = async (name) => {
      if (name === 'hotel') throw Object.assign(new Error('no'), { code: 'permanent_error' });
    };
    await journeys.want('three');
    await journeys.in('three', { status: 'failed' });
    journeys.bookings.during = async () => undefined;
    await journeys.control('three').redrive({ ...ANN, data: { to: 'Pisa' } });
    await journeys.in('three', { state: 'Booked' });
    const revision = await revisionOf('three', 'redrive');
    await journeys.control('three').fork({ ...ANN, key: 'three again', revision });
    expect(await journeys.in('three again', { state: 'Booked' })).toMatchObject({ data: { to: 'Pisa' } });
    expect(await journeys.steps('three again')).toEqual(['flight skipped', 'hotel done']);
  });

  it.each([0, 1.5, 1_000])('not from revision %d, which it has not', async (revision) => {
    await expect(journeys.control('one').fork({ ...ANN, key: 'nowhere', revision })).rejects.toMatchObject({
      details: { code: 'fork_point' },
    });
  });

  it('not from where it was undone', async () => {
    await journeys.book('four');
    await journeys.control('four').cancel(ANN);
    const { revision } = await journeys.in('four', { status: 'cancelled' });
    await expect(
      journeys.control('four').fork({ ...ANN, key: 'four again', revision }),
    ).rejects.toMatchObject({
      details: { code: 'fork_point' },
    });
  });
});
