import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'parcel.posted', version: 1 })
class Posted {}

@MessageType({ name: 'parcel.weighed', version: 1 })
class Weighed {}

@MessageType({ name: 'parcel.insured', version: 1 })
class Insured {}

interface Parcel {
  weighedBy?: string;
  insured?: boolean;
}

const shape = { states: ['Posted', 'Weighed', 'Sent'], final: ['Sent'] } as const;
const first = workflow<Parcel>()('parcel', { version: 1, ...shape });
const second = workflow<Parcel>()('parcel', { version: 2, ...shape });

@first.Workflow()
class ParcelOfVersion1 {
  @first.On(Posted, { start: true, to: 'Posted' })
  posted(): void {}

  @first.On(Weighed, { in: 'Posted', to: 'Weighed' })
  weighed(data: Parcel): void {
    data.weighedBy = 'a balance';
  }

  @first.Step({ in: 'Weighed', to: 'Sent' })
  async send(): Promise<string> {
    return 'by rail';
  }
}

@second.Workflow()
class ParcelOfVersion2 {
  @second.On(Posted, { start: true, to: 'Posted' })
  posted(): void {}

  @second.On(Insured, { in: 'Posted', competes: true })
  insured(data: Parcel): void {
    data.insured = true;
  }

  @second.On(Weighed, { in: 'Posted', to: 'Weighed' })
  weighed(data: Parcel): void {
    data.weighedBy = 'a scale';
  }

  @second.Step({ in: 'Weighed', to: 'Sent' })
  async send(): Promise<string> {
    return 'by air';
  }
}

const both = [new ParcelOfVersion1(), new ParcelOfVersion2()];

const outputOf = async (stage: EngineStage, key: string) =>
  stage.rows(`select s.output from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1`, [key]);

/** Whether the run's undecided events are those of these types. */
const undecidedOf = async (stage: EngineStage, key: string) =>
  stage.rows(`select type from pawl.parked_event where key = $1 and run_id is null order by type`, [key]);

describe('Two versions run side by side in one process', () => {
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: both });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const parcel = async (key: string) => stage.client.runOf(ParcelOfVersion2, key);

  it('a run is started in the version of the class that is given', async () => {
    await stage.client.start(ParcelOfVersion1, 'old', new Posted());
    await stage.client.start(ParcelOfVersion2, 'young', new Posted());
    expect(await parcel('old')).toMatchObject({ version: 1, state: 'Posted' });
    expect(await stage.client.runOf(ParcelOfVersion1, 'young')).toMatchObject({ version: 2 });
  });

  it('started again by the other class, it is the run that is there', async () => {
    const { runId } = (await stage.client.start(ParcelOfVersion1, 'twice', new Posted())) ?? {};
    expect(await stage.client.start(ParcelOfVersion2, 'twice', new Posted())).toEqual({
      runId,
      created: false,
    });
    expect(await parcel('twice')).toMatchObject({ version: 1 });
  });

  it('an event reaches either by its version, whichever class names the workflow, and its own steps run', async () => {
    await stage.client.deliver(ParcelOfVersion2, 'old', new Weighed());
    await stage.client.deliver(ParcelOfVersion1, 'young', new Weighed());
    await until(
      async () => (await parcel('old'))?.state === 'Sent' && (await parcel('young'))?.state === 'Sent',
    );
    expect(await parcel('old')).toMatchObject({ version: 1, data: { weighedBy: 'a balance' } });
    expect(await parcel('young')).toMatchObject({ version: 2, data: { weighedBy: 'a scale' } });
    expect([await outputOf(stage, 'old'), await outputOf(stage, 'young')]).toEqual([
      [{ output: 'by rail' }],
      [{ output: 'by air' }],
    ]);
  });

  it('a start that names no class, as one that comes from another service, starts the newest', async () => {
    const { id, type, typeVersion, digest } = { id: 'p', type: 'parcel.posted', typeVersion: 1, digest: 'd' };
    const event = { id, type, typeVersion, digest, payload: {}, source: 'post.parcels' };
    await stage.messaging.transactions.run((tx) =>
      stage.runtime.receiver.receive(tx, [{ workflow: 'parcel', key: 'foreign', event }]),
    );
    expect(await parcel('foreign')).toMatchObject({ version: 2 });
  });

  it("a start in a caller's transaction keeps its version, also where an event came before it", async () => {
    await stage.client.deliver(ParcelOfVersion2, 'early', new Weighed());
    await stage.dataSource.transaction((manager) =>
      stage.client.start(ParcelOfVersion1, 'early', new Posted(), { manager }),
    );
    await until(async () => (await parcel('early'))?.state === 'Sent');
    expect(await parcel('early')).toMatchObject({ version: 1, data: { weighedBy: 'a balance' } });
  });
});

describe('A release with a new version is deployed process by process', () => {
  let old: EngineStage;
  let young: EngineStage;
  beforeAll(async () => {
    old = await startEngine({ workflows: [new ParcelOfVersion1()], options: { work: false } });
    young = await startEngine({ workflows: both, url: old.url, options: { work: false } });
  });
  afterEach(async () => expectSound(old));
  afterAll(async () => {
    await young.stop();
    await old.stop();
  });

  const parcel = async (key: string) => old.client.runOf(ParcelOfVersion1, key);
  const decide = async (stage: EngineStage, key: string) =>
    stage.messaging.transactions.run((tx) =>
      stage.runtime.receiver.decideUndecided(tx, { workflow: 'parcel', key }),
    );

  it('what waits for the start is kept, though the old process does not know it', async () => {
    await young.client.deliver(ParcelOfVersion2, 'one', new Insured());
    expect(await old.client.deliver(ParcelOfVersion1, 'one', new Weighed())).toMatchObject({
      verdict: 'early',
    });
    await young.client.start(ParcelOfVersion2, 'one', new Posted());
    expect(await parcel('one')).toMatchObject({ state: 'Weighed', data: { insured: true }, version: 2 });
    expect(await old.rows('select * from pawl.dead_letter')).toEqual([]);
  });

  it('a start of the new version is left to a process that has it', async () => {
    await old.client.deliver(ParcelOfVersion1, 'two', new Weighed());
    await young.dataSource.transaction((manager) =>
      young.client.start(ParcelOfVersion2, 'two', new Posted(), { manager }),
    );
    await decide(old, 'two');
    expect(await undecidedOf(old, 'two')).toEqual([{ type: 'parcel.posted' }]);
    expect(await parcel('two')).toMatchObject({ status: 'awaited' });
    await decide(young, 'two');
    expect(await parcel('two')).toMatchObject({ version: 2, data: { weighedBy: 'a scale' } });
  });

  it('in a run of the old version, what only the new one knows is rejected by either process', async () => {
    await young.client.start(ParcelOfVersion1, 'three', new Posted());
    expect(await young.client.deliver(ParcelOfVersion2, 'three', new Insured())).toMatchObject({
      verdict: 'rejected',
      rule: 'unknown-type',
    });
  });
});

describe('A version has gone when the last of its runs had ended', () => {
  let before: EngineStage;
  let after: EngineStage;
  beforeAll(async () => {
    before = await startEngine({ workflows: [new ParcelOfVersion1()] });
    await before.client.start(ParcelOfVersion1, 'gone', new Posted());
    await before.client.deliver(ParcelOfVersion1, 'gone', new Weighed());
    await until(async () => (await before.client.runOf(ParcelOfVersion1, 'gone'))?.state === 'Sent');
    await before.runtime.stop();
    after = await startEngine({ workflows: [new ParcelOfVersion2()], url: before.url });
  });
  afterAll(async () => {
    await after.stop();
    await before.stop();
  });

  it('a duplicate for it is still known as one', async () => {
    expect(await after.client.deliver(ParcelOfVersion2, 'gone', new Weighed())).toMatchObject({
      verdict: 'late',
      rule: 'applied-before',
    });
    expect(await after.client.start(ParcelOfVersion2, 'gone', new Posted())).toMatchObject({
      created: false,
    });
  });

  it('an event that was stored undecided for it is decided, and lost in the open', async () => {
    const loss = `select type, reason from pawl.loss where run_key = 'gone'`;
    await after.rows(`insert into pawl.parked_event (id, workflow, key, event_id, source, type, type_version, payload, digest)
      values (gen_random_uuid(), 'parcel', 'gone', 'e', 'client', 'parcel.insured', 1, '{}', 'd')`);
    await until(async () => (await after.rows(loss)).length > 0);
    expect(await after.rows(loss)).toEqual([{ type: 'parcel.insured', reason: 'never-applied' }]);
    expect(await verdictsOf(after, 'gone')).toContain('parcel.insured late never-applied');
  });

  it('and nobody else decides for an older process', async () => {
    await after.client.start(ParcelOfVersion2, 'newer', new Posted());
    await after.client.deliver(ParcelOfVersion2, 'newer', new Weighed());
    await until(async () => (await after.client.runOf(ParcelOfVersion2, 'newer'))?.state === 'Sent');
    expect(await before.client.deliver(ParcelOfVersion1, 'newer', new Weighed())).toMatchObject({
      rule: 'version-unknown',
    });
  });
});
