import { startTestEngine, type TestEngine, until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Agency, CalledOff, Ordered, TripWorkflow } from './trip.js';

describe('A compensation is recorded by another worker', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    const schema = 'create schema app; create table app.cancelled (key text)';
    engine = await startTestEngine({ workflows: [new TripWorkflow(agency)], schema });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  /** Undoes a trip up to its hotel, which has written that it is cancelled; answers how it goes on. */
  const undoUpToTheHotel = async (key: string): Promise<() => Promise<void>> => {
    const cancelling = new Barrier();
    agency.does.set(`cancelHotel ${key}`, async ({ tx }, call) => {
      await tx.query('insert into app.cancelled values ($1)', [key]);
      if (call === 1) await cancelling.stop();
    });
    await engine.client.start(TripWorkflow, key, new Ordered());
    await engine.drain();
    await engine.client.deliver(TripWorkflow, key, new CalledOff());
    const drained = engine.drain();
    const goOn = await cancelling.arrival();
    return async () => {
      goOn();
      await drained;
    };
  };
  const cancelled = async (key: string) => engine.rows('select key from app.cancelled where key = $1', [key]);

  it('that has claimed the run since: what the first one wrote is rolled back', async () => {
    const goOn = await undoUpToTheHotel('claimed');
    await engine.rows(
      `update pawl.run set fencing_token = fencing_token + 1, lease_until = clock_timestamp(), due_at = clock_timestamp() where key = 'claimed'`,
    );
    await goOn();
    await engine.drain();
    expect(await cancelled('claimed')).toHaveLength(1);
    expect(agency.of('claimed').slice(-3)).toEqual(['cancelHotel', 'cancelHotel', 'cancelFlight']);
    await until(async () => (await engine.client.runOf(TripWorkflow, 'claimed'))?.status === 'compensated');
  });

  it('under the same claim: what comes second is rolled back', async () => {
    const goOn = await undoUpToTheHotel('recorded');
    await engine.rows(
      `insert into pawl.step (run_id, round, name, kind, undoes, status, effect, attempts, attempt_id, idempotency_key, fencing_token)
       select s.run_id, s.round, 'cancelHotel', 'compensation', 'hotel', 'done', 'transactional', 1, gen_random_uuid(), '', s.fencing_token
       from pawl.step s join pawl.run r on r.id = s.run_id where r.key = 'recorded' and s.name = 'hotel'`,
    );
    await goOn();
    await engine.drain();
    expect(await cancelled('recorded')).toEqual([]);
    expect(await engine.client.runOf(TripWorkflow, 'recorded')).toMatchObject({ status: 'compensated' });
  });
});
