import { forkService } from '@pawl/testing';
import { expectSound } from '../engine/engine-checks.js';
import { type EngineStage, startEngine } from '../engine/engine-stage.js';
import { Asked, Granted, PermitOfVersion1, PermitOfVersion2, permits } from './permit-workflows.js';

const KEYS = ['a', 'b', 'c', 'd'];

describe('A migration is cut off', () => {
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: permits, options: { work: false } });
    for (const key of KEYS) await stage.client.start(PermitOfVersion1, key, new Asked());
  });
  afterAll(async () => stage.stop());

  const runs = async () =>
    stage.rows(`select r.key, r.version, r.data, r.revision::int, count(a.id)::int as acts
      from pawl.run r left join pawl.operator_action a on a.run_id = r.id group by r.id order by r.key`);
  const run = (key: string, version: number) =>
    version === 1
      ? { key, version, data: {}, revision: 1, acts: 0 }
      : { key, version, data: { fee: 5 }, revision: 2, acts: 1 };

  async function migrateUntil(crashPoint: string): Promise<void> {
    const service = forkService('test/crash/migrating-service.ts', {
      env: { MIGRATING_URL: stage.url },
      crashPoint,
    });
    expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(service.crashed()).toBe(true);
    await expectSound(stage);
  }

  it('in the middle of a run: nothing of that run has happened', async () => {
    await migrateUntil('migration.before-commit:2');
    expect(await runs()).toEqual([run('a', 2), run('b', 1), run('c', 1), run('d', 1)]);
  });

  it('between two runs: those before it are migrated, the others are as they were, and both go on', async () => {
    await migrateUntil('migration.between-runs:2');
    expect(await runs()).toEqual([run('a', 2), run('b', 2), run('c', 2), run('d', 1)]);
    await stage.client.deliver(PermitOfVersion1, 'c', new Granted());
    expect(await stage.client.runOf(PermitOfVersion1, 'c')).toMatchObject({
      state: 'Granted',
      data: { fee: 6 },
    });
    await stage.client.deliver(PermitOfVersion1, 'd', new Granted());
    expect(await stage.client.runOf(PermitOfVersion1, 'd')).toMatchObject({ state: 'Granted', version: 1 });
  });

  it('asked for again, it goes on with what is left', async () => {
    await stage.client.start(PermitOfVersion1, 'e', new Asked());
    const ask = { from: 1, actor: 'ann', reason: 'fees' };
    expect(await stage.runtime.versions.migrate(PermitOfVersion2, ask)).toMatchObject({ moved: 1, left: 0 });
    expect(await stage.runtime.versions.canGo('permit', 1)).toMatchObject({ canGo: true });
  });
});
