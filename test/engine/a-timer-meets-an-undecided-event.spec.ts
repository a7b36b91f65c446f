import { until } from '@pawl/testing';
import { expectSound, letTimePass, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Accepted, CancelRequested, EFFECTS, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A timer fires while an event is undecided (D30)', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    // Nobody decides or fires anything but the test.
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      options: { work: false },
      limits: { lockTimeoutMs: 10_000 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  async function started(key: string): Promise<string> {
    return (await stage.client.start(SmallOrderWorkflow, key, new Submitted('Ada'))).runId;
  }
  const accept = async (key: string) =>
    stage.dataSource.transaction((manager) =>
      stage.client.deliverIn(manager, SmallOrderWorkflow, key, new Accepted(0)),
    );
  const fire = async (runId: string) =>
    stage.messaging.transactions.run((tx) => stage.runtime.receiver.fireTimers(tx, runId));

  it('the event came in time: it is applied, and the timer does not fire', async () => {
    const runId = await started('in time');
    await accept('in time');
    await letTimePass(stage, 'in time');
    await fire(runId);
    expect(await verdictsOf(stage, 'in time')).toEqual([
      'small.submitted applied started',
      'small.accepted applied accepted',
    ]);
    expect(await stage.rows('select 1 from pawl.timer where run_id = $1', [runId])).toEqual([]);
  });

  it('the timer was first: the event is late, and a loss', async () => {
    const runId = await started('too late');
    await letTimePass(stage, 'too late', { sinceMs: 100 });
    await accept('too late');
    await fire(runId);
    expect(await verdictsOf(stage, 'too late')).toEqual([
      'small.submitted applied started',
      'expired',
      'small.accepted late never-applied',
    ]);
    expect(await stage.rows('select run_key, type, reason from pawl.loss')).toEqual([
      { run_key: 'too late', type: 'small.accepted', reason: 'never-applied' },
    ]);
  });

  it('an event that arrives after a timer was due finds it fired', async () => {
    await started('arrives');
    await letTimePass(stage, 'arrives', { sinceMs: 100 });
    const receipt = await stage.client.deliver(SmallOrderWorkflow, 'arrives', new Accepted(0));
    expect(receipt).toMatchObject({ verdict: 'late', state: 'Cancelled', status: 'completed' });
  });

  it('an event that was stored while another one waited for the run came in time, too', async () => {
    const runId = await started('waited for');
    await stage.rows(
      `update pawl.timer set fire_at = clock_timestamp() + interval '300 ms' where run_id = $1`,
      [runId],
    );
    const other = stage.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('update pawl.run set updated_at = clock_timestamp() where id = $1', [runId]);
    const arriving = stage.client.deliver(
      SmallOrderWorkflow,
      'waited for',
      new CancelRequested('changed my mind'),
    );
    await until(async () => (await stage.rows(WAITING)).length > 0);
    await accept('waited for');
    // The timer comes due while the run is waited for.
    await other.query(`select pg_sleep_until(fire_at + interval '1 ms') from pawl.timer where run_id = $1`, [
      runId,
    ]);
    await other.commitTransaction();
    await other.release();
    await arriving;
    expect((await verdictsOf(stage, 'waited for')).slice(0, 2)).toEqual([
      'small.submitted applied started',
      'small.accepted applied accepted',
    ]);
  });
});

const WAITING = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
