import { UpdateRefusedError } from '@pawl/workflow';
import { Delivered, ParcelWorkflow } from '../machine/parcel-workflow.js';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { announce } from './parcels.js';
import { SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A run is asked', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await startEngine({
      workflows: [new ParcelWorkflow(), new SmallOrderWorkflow({ charge: async (key) => key })],
      options: { work: false },
    });
    await announce(stage, 'asked');
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('by a query: answers from the data, with the arguments of the caller', async () => {
    expect(await stage.client.query(ParcelWorkflow, 'asked', 'address')).toBe('Ada');
    expect(await stage.client.query(ParcelWorkflow, 'asked', 'fee', { perChange: 30 })).toBe(30);
  });

  it('while somebody holds its row: it is answered', async () => {
    const holder = stage.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`select 1 from pawl.run where key = 'asked' for update`);
    expect(await stage.client.query(ParcelWorkflow, 'asked', 'address')).toBe('Ada');
    expect(await stage.client.status(ParcelWorkflow, 'asked')).toMatchObject({ to: 'Ada' });
    await holder.rollbackTransaction();
    await holder.release();
  });

  it('by a query that would change data: it can not', async () => {
    await expect(stage.client.query(ParcelWorkflow, 'asked', 'spoil')).rejects.toThrow(TypeError);
    expect(await stage.client.runOf(ParcelWorkflow, 'asked')).toMatchObject({ data: { addresses: 1 } });
  });

  it('by a method that is no query: it says what to do', async () => {
    await expect(stage.client.query(ParcelWorkflow, 'asked', 'undecorated')).rejects.toMatchObject({
      code: 'query_unknown',
      message:
        'Version 1 of parcel has no query undecorated, only address, fee, spoil: decorate the method with @Query().',
    });
  });

  it('for its status: its own words, or those that every workflow has', async () => {
    expect(await stage.client.status(ParcelWorkflow, 'asked')).toEqual({
      where: 'with the sender',
      to: 'Ada',
    });
    await stage.client.start(SmallOrderWorkflow, 'plain', new Submitted('Ada'));
    expect(await stage.client.status(SmallOrderWorkflow, 'plain')).toEqual({
      status: 'in-progress',
      state: 'Submitted',
      ended: false,
    });
  });

  it.each(['nobody', 'awaited'])('that was never started (%s): it is not found', async (key) => {
    if (key === 'awaited') await stage.client.deliver(ParcelWorkflow, key, new Delivered());
    const asked = [
      stage.client.status(ParcelWorkflow, key),
      stage.client.query(ParcelWorkflow, key, 'address'),
      stage.client.update(ParcelWorkflow, key, 'insure', 1),
    ];
    for (const one of asked)
      await expect(one).rejects.toMatchObject({ code: 'run_not_found', details: { key } });
    const rows = await stage.rows('select status from pawl.run where key = $1', [key]);
    expect(rows).toEqual(key === 'awaited' ? [{ status: 'awaited' }] : []);
  });

  it('where its version is not: it says so, and an update that was made before is answered as then', async () => {
    await announce(stage, 'old');
    await stage.client.update(ParcelWorkflow, 'old', 'insure', 7, { id: 'made' });
    await stage.rows(`update pawl.run set version = 7 where key = 'old'`);
    const missing = { code: 'version_not_here', details: { version: 7 } };
    await expect(stage.client.query(ParcelWorkflow, 'old', 'address')).rejects.toMatchObject(missing);
    await expect(stage.client.status(ParcelWorkflow, 'old')).rejects.toMatchObject(missing);
    await expect(stage.client.update(ParcelWorkflow, 'old', 'insure', 8)).rejects.toMatchObject({
      code: 'update_refused',
      details: { rule: 'version-unknown' },
    });
    expect(await stage.client.update(ParcelWorkflow, 'old', 'insure', 7, { id: 'made' })).toBeUndefined();
  });

  it('for an update that is refused: the error says by which rule, and why', async () => {
    await announce(stage, 'refused');
    const nowhere = stage.client.update(ParcelWorkflow, 'refused', 'changeAddress', { to: 'nowhere' });
    await expect(nowhere).rejects.toBeInstanceOf(UpdateRefusedError);
    await expect(nowhere).rejects.toMatchObject({
      code: 'update_refused',
      rule: 'declined',
      message: 'we do not go there',
      details: { rule: 'declined', zone: 9, key: 'refused', update: 'changeAddress' },
    });
    const invalid = stage.client.update(ParcelWorkflow, 'refused', 'changeAddress', { to: '' });
    await expect(invalid).rejects.toMatchObject({
      details: { rule: 'invalid-input', problems: ['/to must NOT have fewer than 2 characters'] },
    });
    await expect(stage.client.update(ParcelWorkflow, 'refused', 'insure', -1)).rejects.toMatchObject({
      code: 'update_failed',
      details: { member: 'insure' },
    });
    await expect(stage.client.update(ParcelWorkflow, 'refused', 'insure', Number.NaN)).rejects.toMatchObject({
      details: { rule: 'invalid-input', problems: ['the input has no finite number at its root'] },
    });
    await expect(
      stage.client.update(ParcelWorkflow, 'refused', 'insure', 1, { id: 'x'.repeat(201) }),
    ).rejects.toMatchObject({ code: 'invalid_id' });
    expect(await stage.client.runOf(ParcelWorkflow, 'refused')).toMatchObject({ revision: 1 });
  });
});
