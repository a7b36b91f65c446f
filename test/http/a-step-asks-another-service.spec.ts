import { LossyProxy, testDatabase, type TestDatabase, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { stepOf } from '../engine/engine-checks.js';
import { type EngineStage, startEngine } from '../engine/engine-stage.js';
import { type ExchangeService, LABELS, openExchangeService, type Parcel } from './exchange-service.js';
import { Packed, ShipmentWorkflow } from './label-workflow.js';

describe('A step asks another service', () => {
  let theirs: TestDatabase;
  let labels: DataSource;
  let service: ExchangeService;
  let proxy: LossyProxy;
  let stage: EngineStage;

  beforeAll(async () => {
    theirs = await testDatabase();
    labels = await new DataSource({ type: 'postgres', url: theirs.url }).initialize();
    await labels.query(LABELS);
    service = await openExchangeService(theirs.url);
    proxy = await LossyProxy.start(service.url);
    stage = await startEngine({
      workflows: [new ShipmentWorkflow(proxy.url)],
      options: { rescueEveryMs: 20, exchange: { triesMax: 4, pauseMs: 5, pauseMaxMs: 20 } },
    });
  });
  afterAll(async () => {
    await stage?.stop();
    await proxy?.close();
    await service?.close();
    await labels?.destroy();
    await theirs?.drop();
  });
  beforeEach(() => (service.labels.begun = 0));

  const start = async (key: string, parcel: Parcel) =>
    stage.client.start(ShipmentWorkflow, key, new Packed(parcel));
  const ended = async (key: string, status: string) =>
    until(
      async () => {
        const run = await stage.client.runOf(ShipmentWorkflow, key);
        return run?.status === status ? run : undefined;
      },
      { what: `${key} ${status}` },
    );
  const printed = async (weight: number) =>
    (await labels.query<unknown[]>('select 1 from label where weight = $1', [weight])).length;

  it('and replies get lost, more than one attempt can bear: one effect, one answer, and it is forgotten there', async () => {
    proxy.loseReplies(6);
    await start('lossy', { weight: 1 });
    await ended('lossy', 'completed');
    expect(proxy.lost).toBe(6);
    expect(await stepOf(stage, 'lossy', 'label')).toMatchObject({
      attempts: 2,
      output: { label: 'label of 1' },
      errors: [{ code: 'exchange_unanswered' }],
    });
    expect(await printed(1)).toBe(1);
    const tombstone = async () =>
      (
        await labels.query<unknown[]>(
          'select 1 from pawl.exchange where forgotten_at is not null and body is null',
        )
      ).length;
    await until(async () => (await tombstone()) === 1);
  });

  it('whose handler fails at first: it is asked again under the same id', async () => {
    await start('fails', { weight: 2, then: 'throw' });
    await ended('fails', 'completed');
    expect([service.labels.begun, await printed(2)]).toEqual([2, 1]);
  });

  it('which refuses: no further attempt, no effect', async () => {
    await start('refused', { weight: 3, then: 'refuse' });
    const { attention } = await ended('refused', 'failed');
    expect(attention).toContain('Refused (too_heavy): No label for so much.');
    expect([service.labels.begun, await printed(3)]).toEqual([1, 0]);
  });

  it('again when the window of its id has passed: nothing runs there, and a person is asked', async () => {
    proxy.loseReplies(4);
    await stage.rows(`create function aged() returns trigger language plpgsql as
      $$ begin new.intended_at := clock_timestamp() - interval '25 hours'; return new; end $$`);
    await stage.rows('create trigger aged before insert on pawl.step for each row execute function aged()');
    await start('late', { weight: 4 });
    const { attention } = await ended('late', 'failed');
    await stage.rows('drop trigger aged on pawl.step');
    expect(attention).toContain('Gone (exchange_id_expired)');
    expect([service.labels.begun, await printed(4)]).toEqual([0, 0]);
  });
});
