import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { PermanentError, type StepContext, workflow } from '@pawl/workflow';
import { endLease, expectSound, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'claim.filed', version: 1 })
class Filed {}

@MessageType({ name: 'claim.noted', version: 1 })
class Noted {
  constructor(readonly text: string) {}
}

@MessageType({ name: 'claim.assessed', version: 1 })
class Assessed {}

@MessageType({ name: 'claim.paid', version: 1 })
class Paid {}

@MessageType({ name: 'claim.gossip', version: 1 })
class Gossip {}

interface ClaimOfVersion1 {
  notes: string[];
}

interface Claim {
  notes: string[];
  grade: string;
}

const first = workflow<ClaimOfVersion1>()('claim', {
  version: 1,
  states: ['Filed', 'Assessed', 'Settling', 'Closed'],
  final: ['Closed'],
});

/** What the steps of the present test do. */
let assess: (context: StepContext<unknown>) => Promise<string> = async () => 'by version 1';

@first.Workflow()
class ClaimWorkflow1 {
  @first.On(Filed, { start: true, to: 'Filed' })
  filed(data: ClaimOfVersion1): void {
    data.notes = [];
  }

  @first.On(Noted, { in: ['Filed', 'Assessed'], key: (event) => event.text, competes: true })
  noted(data: ClaimOfVersion1, { text }: Noted): void {
    data.notes.push(text);
  }

  @first.On(Assessed, { in: 'Filed', to: 'Assessed' })
  assessed(): void {}

  @first.On(Gossip, { in: 'Assessed', competes: true })
  gossip(): void {}

  @first.On(Paid, { in: 'Assessed', to: 'Settling', competes: true })
  paid(): void {}

  @first.Timeout({ in: 'Filed', after: '1h', attention: 'slow' })
  slow(): void {}

  @first.Timeout({ in: 'Filed', after: '3h', to: 'Closed' })
  expired(): void {}

  @first.Step({ in: 'Assessed', retry: { attempts: 2, backoff: 'fixed', delay: '1h' } })
  async assess(context: StepContext<ClaimOfVersion1>): Promise<string> {
    return assess(context);
  }

  @first.Compensate('assess')
  async forget(): Promise<void> {}

  @first.Step({ in: 'Settling', to: 'Closed' })
  async settle(context: StepContext<ClaimOfVersion1>): Promise<string> {
    return assess(context);
  }
}

const second = workflow<Claim>()('claim', {
  version: 2,
  states: ['Filed', 'Graded', 'Settling', 'Closed'],
  final: ['Closed'],
});

@second.Workflow()
class ClaimWorkflow2 {
  @second.Migrate({ from: 1 })
  fromVersion1({ state, data }: { state: 'Filed' | 'Assessed'; data: ClaimOfVersion1 }) {
    if (data.notes.includes('broken')) throw new Error('what a claim');
    return { state: state === 'Assessed' ? ('Graded' as const) : state, data: { ...data, grade: 'none' } };
  }

  @second.On(Filed, { start: true, to: 'Filed' })
  filed(data: Claim): void {
    data.notes = [];
  }

  @second.On(Noted, { in: ['Filed', 'Graded'], key: (event) => event.text, competes: true })
  noted(data: Claim, { text }: Noted): void {
    data.notes.push(`${text}!`);
  }

  @second.On(Assessed, { in: 'Filed', to: 'Graded' })
  assessed(): void {}

  @second.On(Paid, { in: ['Filed', 'Graded'], to: 'Settling', competes: true })
  paid(): void {}

  @second.Timeout({ in: 'Filed', after: '2h', attention: 'slow' })
  slow(): void {}

  @second.Timeout({ in: 'Graded', after: '1h', attention: 'unpaid' })
  unpaid(): void {}

  @second.Step({ in: 'Graded' })
  async assess(): Promise<string> {
    return 'by version 2';
  }

  @second.Compensate('assess')
  async forget(): Promise<void> {}

  @second.Step({ in: 'Graded' })
  async grade({ outputs }: StepContext<Claim>): Promise<string> {
    return `graded ${String(outputs['assess'])}`;
  }

  @second.Step({ in: 'Settling', to: 'Closed' })
  async settle(): Promise<string> {
    return 'settled by version 2';
  }
}

const workflows = [new ClaimWorkflow1(), new ClaimWorkflow2()];
const by = { actor: 'ann', reason: 'grades are due' };

let stage: EngineStage;
beforeAll(async () => {
  stage = await startEngine({ workflows, options: { rescueEveryMs: 50 } });
});
beforeEach(() => {
  assess = async () => 'by version 1';
});
afterEach(async () => {
  await expectSound(stage);
  // A migration is for all runs of a version: each test begins without any.
  await stage.rows(
    'truncate pawl.run, pawl.parked_event, pawl.operator_action, pawl.dead_letter, pawl.loss cascade',
  );
});
afterAll(async () => stage.stop());

const claim = async (key: string) => stage.client.runOf(ClaimWorkflow2, key);
const stepsOf = async (key: string) =>
  stage.rows<{ name: string; status: string; output: unknown }>(
    `select s.name, s.status, s.output from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 order by s.intended_at`,
    [key],
  );
const timersOf = async (key: string) =>
  stage.rows<{ member: string; state: string; minutes: number }>(
    `select t.member, t.state, round(extract(epoch from t.fire_at - r.created_at) / 60)::int as minutes
     from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = $1 order by t.member`,
    [key],
  );

async function file(key: string, ...events: object[]): Promise<void> {
  await stage.client.start(ClaimWorkflow1, key, new Filed());
  for (const event of events) await stage.client.deliver(ClaimWorkflow1, key, event);
}

/** Until nothing is due for the run, and no worker has it. */
async function waiting(key: string): Promise<void> {
  const sql = `select 1 from pawl.run where key = $1 and status = 'waiting' and lease_until is null`;
  await until(async () => (await stage.rows(sql, [key])).length === 1, { what: `${key} at rest` });
}

/** Lets so many minutes pass for a run: all that is recorded of it happened so much earlier. */
async function minutesLater(key: string, minutes: number): Promise<void> {
  const earlier = `- make_interval(mins => $2)`;
  const ofRun = `in (select id from pawl.run where key = $1)`;
  await stage.rows(
    `update pawl.timer set fire_at = fire_at ${earlier}, started_at = started_at ${earlier} where run_id ${ofRun}`,
    [key, minutes],
  );
  await stage.rows(`update pawl.journal set at = at ${earlier} where run_id ${ofRun}`, [key, minutes]);
  await stage.rows(
    `update pawl.run set created_at = created_at ${earlier}, paused_at = paused_at ${earlier} where key = $1`,
    [key, minutes],
  );
}

describe('Runs move to a new version', () => {
  it('with state and data as the class says; done steps stay done, and new ones run', async () => {
    await file('moved', new Noted('one'), new Assessed());
    await waiting('moved');
    await stage.client.deliver(ClaimWorkflow1, 'moved', new Noted('two'));
    expect(await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toEqual({
      workflow: 'claim',
      from: 1,
      to: 2,
      dryRun: false,
      moved: 1,
      moves: [{ from: 'Assessed', to: 'Graded', count: 1 }],
      refusedEvents: 0,
      left: 0,
      problems: [],
    });
    await until(async () => (await stepsOf('moved')).length === 2);
    await waiting('moved');
    expect(await claim('moved')).toMatchObject({
      version: 2,
      state: 'Graded',
      data: { notes: ['one', 'two'], grade: 'none' },
    });
    expect(await stepsOf('moved')).toEqual([
      { name: 'assess', status: 'done', output: 'by version 1' },
      { name: 'grade', status: 'done', output: 'graded by version 1' },
    ]);
  });

  it('what it has seen stays seen, and events are decided by the new version from then on', async () => {
    await file('seen', new Noted('one'));
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await stage.client.deliver(ClaimWorkflow1, 'seen', new Noted('one'))).toMatchObject({
      rule: 'key-seen',
    });
    await stage.client.deliver(ClaimWorkflow1, 'seen', new Noted('two'));
    expect(await claim('seen')).toMatchObject({ data: { notes: ['one', 'two!'] } });
  });

  it('who did it and why is kept, and it stands in the journal', async () => {
    await file('kept');
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(
      await stage.rows('select key, action, actor, reason, detail, outcome from pawl.operator_action'),
    ).toEqual([{ key: 'kept', action: 'migrate', ...by, detail: { from: 1, to: 2 }, outcome: 'done' }]);
    expect(
      await stage.rows(
        `select kind, name, detail, from_state, to_state from pawl.journal where kind = 'control'`,
      ),
    ).toEqual([
      {
        kind: 'control',
        name: 'migrate',
        detail: 'ann: grades are due (from version 1 to 2)',
        from_state: 'Filed',
        to_state: 'Filed',
      },
    ]);
  });

  it('what waits with a run is decided again before it is committed', async () => {
    await file('parked', new Paid(), new Gossip());
    expect(await claim('parked')).toMatchObject({ parkedCount: 2 });
    const report = await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    // The new version takes the payment in its first state, and knows no gossip.
    expect(report).toMatchObject({ moved: 1, refusedEvents: 1 });
    expect(await claim('parked')).toMatchObject({ version: 2, parkedCount: 0 });
    await until(async () => (await claim('parked'))?.status === 'completed');
    expect(await verdictsOf(stage, 'parked')).toEqual([
      'claim.filed applied started',
      'claim.paid early state-not-reached',
      'claim.gossip early state-not-reached',
      'migrate',
      'claim.gossip rejected unknown-type',
      'claim.paid applied accepted',
      'settle',
    ]);
  });

  it('version 1 can go once all have moved', async () => {
    await file('last', new Assessed());
    await waiting('last');
    const { versions } = stage.runtime;
    expect(await versions.canGo('claim', 1)).toMatchObject({
      canGo: false,
      runs: [{ status: 'waiting', state: 'Assessed', count: 1 }],
    });
    await versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await versions.canGo('claim', 1)).toMatchObject({ canGo: true, runs: [] });
    expect(await versions.inUse()).toMatchObject([
      { workflow: 'claim', version: 1, runs: {}, unfinished: 0 },
      { version: 2, unfinished: 1 },
    ]);
    expect(await versions.canGo('claim', 2)).toMatchObject({ canGo: false, newest: true });
    await expect(versions.canGo('claim', 7)).rejects.toMatchObject({ code: 'version_unknown' });
  });
});

describe('A dry run', () => {
  const TABLES = [
    'run',
    'step',
    'timer',
    'parked_event',
    'journal',
    'operator_action',
    'dead_letter',
    'loss',
    'outbox',
  ];

  async function everything(): Promise<unknown> {
    const rows = TABLES.map((table) =>
      stage.rows(
        `select '${table}' as name, md5(coalesce(string_agg(t::text, chr(10) order by t::text), '')) from pawl.${table} t`,
      ),
    );
    return Promise.all(rows);
  }

  it('says what would become of each run, and changes nothing', async () => {
    await file('plain');
    await file('parked', new Gossip());
    await file('done', new Assessed());
    await file('bad', new Noted('broken'));
    await waiting('done');
    const before = await everything();
    const report = await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, dryRun: true, ...by });
    expect(report).toMatchObject({
      dryRun: true,
      moved: 3,
      moves: [
        { from: 'Filed', to: 'Filed', count: 2 },
        { from: 'Assessed', to: 'Graded', count: 1 },
      ],
      refusedEvents: 1,
      left: 1,
      problems: [{ key: 'bad', rule: 'migration-failed', detail: 'fromVersion1 threw: what a claim' }],
    });
    expect(await everything()).toEqual(before);
    expect(await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toEqual({
      ...report,
      dryRun: false,
    });
  });
});

describe('Timers of a run that moves', () => {
  it('count from when it entered its state, by the duration of the new version', async () => {
    await file('timed');
    await minutesLater('timed', 30);
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await timersOf('timed')).toEqual([{ member: 'slow', state: 'Filed', minutes: 120 }]);
  });

  it('count from now on if its state has another name', async () => {
    await file('renamed', new Assessed());
    await waiting('renamed');
    await minutesLater('renamed', 30);
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await timersOf('renamed')).toEqual([{ member: 'unpaid', state: 'Graded', minutes: 90 }]);
  });

  it('fire at once if they are due by the new version, and never twice', async () => {
    await file('fired');
    await minutesLater('fired', 90);
    await until(async () => (await claim('fired'))?.attention === 'slow');
    await minutesLater('fired', 60);
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await timersOf('fired')).toEqual([]);
    expect((await verdictsOf(stage, 'fired')).filter((entry) => entry === 'slow')).toHaveLength(1);
    await file('due');
    await stage.rows('delete from pawl.timer');
    await minutesLater('due', 150);
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await claim('due')).toMatchObject({ version: 2, attention: 'slow' });
  });

  it('do not count the time that the run was paused', async () => {
    const { control } = stage.runtime;
    await file('paused');
    await control.of(ClaimWorkflow1, 'paused').pause(by);
    await minutesLater('paused', 15);
    await control.of(ClaimWorkflow1, 'paused').resume(by);
    await minutesLater('paused', 10);
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    expect(await timersOf('paused')).toEqual([{ member: 'slow', state: 'Filed', minutes: 135 }]);
  });

  it('of one that is paused still fire by that time later', async () => {
    const { control, versions } = stage.runtime;
    await file('pausing');
    await control.of(ClaimWorkflow1, 'pausing').pause(by);
    await minutesLater('pausing', 10);
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({ moved: 1 });
    expect(await claim('pausing')).toMatchObject({ version: 2, status: 'paused' });
    await minutesLater('pausing', 10);
    await control.of(ClaimWorkflow2, 'pausing').resume(by);
    expect(await timersOf('pausing')).toEqual([{ member: 'slow', state: 'Filed', minutes: 140 }]);
    expect(await claim('pausing')).toMatchObject({ status: 'waiting' });
  });
});

describe('A run that can not move', () => {
  it('is left while a worker holds it, and moves afterwards', async () => {
    const barrier = new Barrier();
    assess = async () => {
      await barrier.stop();
      return 'slowly';
    };
    await file('held', new Assessed());
    const goOn = await barrier.arrival();
    const { versions } = stage.runtime;
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({
      moved: 0,
      left: 1,
      problems: [{ key: 'held', rule: 'held' }],
    });
    goOn();
    await waiting('held');
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({ moved: 1, left: 0 });
  });

  it('is left while a step waits for its next attempt; one that has failed may move, and stays failed', async () => {
    assess = async () => {
      throw new Error('not now');
    };
    await file('retrying', new Assessed());
    await until(async () => (await stepsOf('retrying'))[0]?.status === 'retrying');
    assess = async () => {
      throw new PermanentError('never');
    };
    await file('failed', new Assessed());
    await until(async () => (await claim('failed'))?.status === 'failed');
    expect(await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({
      moved: 1,
      left: 1,
      problems: [{ key: 'retrying', rule: 'step-open', detail: 'step assess is retrying' }],
    });
    expect(await claim('failed')).toMatchObject({ version: 2, status: 'failed', state: 'Graded' });
    await stage.runtime.control.of(ClaimWorkflow2, 'failed').redrive(by);
    await until(async () => (await stepsOf('failed')).length === 2);
    expect(await stepsOf('failed')).toContainEqual({
      name: 'assess',
      status: 'done',
      output: 'by version 2',
    });
  });

  it('but for one that was quarantined: it is put back to work, by the new code', async () => {
    await file('poison');
    await stage.rows(
      `update pawl.run set state = 'Settling', status = 'running', due_at = null, claims = 10, attention = 'quarantined' where key = 'poison'`,
    );
    await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by });
    await until(async () => (await claim('poison'))?.status === 'completed');
    expect(await stepsOf('poison')).toEqual([
      { name: 'settle', status: 'done', output: 'settled by version 2' },
    ]);
  });

  it('is not moved twice by two who do it at once, nor by one who comes later', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await file(key);
    const { versions } = stage.runtime;
    const both = await Promise.all([
      versions.migrate(ClaimWorkflow2, { from: 1, ...by }),
      versions.migrate(ClaimWorkflow2, { from: 1, ...by }),
    ]);
    expect(both.reduce((sum, { moved }) => sum + moved, 0)).toBe(4);
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({ moved: 0, left: 0 });
    expect(await stage.rows('select count(*)::int as n from pawl.operator_action')).toEqual([{ n: 4 }]);
  });

  it('a few may go first', async () => {
    for (const key of ['a', 'b', 'c']) await file(key);
    const { versions } = stage.runtime;
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, limit: 2, ...by })).toMatchObject({ moved: 2 });
    expect((await claim('c'))?.version).toBe(1);
    expect(await versions.migrate(ClaimWorkflow2, { from: 1, limit: 2, ...by })).toMatchObject({ moved: 1 });
  });

  it('and what makes no sense is refused', async () => {
    const { versions } = stage.runtime;
    await expect(versions.migrate(ClaimWorkflow1, { from: 1, ...by })).rejects.toMatchObject({
      code: 'migration_missing',
    });
    const wrong = [{ actor: ' ' }, { actor: 'a\0' }, { reason: '' }, { limit: 0 }, { limit: 1.5 }];
    for (const one of wrong)
      await expect(versions.migrate(ClaimWorkflow2, { from: 1, ...by, ...one })).rejects.toMatchObject({
        code: 'migration_invalid',
      });
  });
});

describe('A worker of the old version', () => {
  it('does not finish a step, once its lease has run out and the run has moved', async () => {
    const barrier = new Barrier();
    assess = async () => {
      await barrier.stop();
      return 'too late';
    };
    // Nobody else takes the run, so nothing but the migration stands between the worker and its commit.
    const old = await startEngine({
      workflows: [new ClaimWorkflow1()],
      url: stage.url,
      options: { rescueEveryMs: 60_000 },
    });
    await stage.runtime.stop();
    await old.client.start(ClaimWorkflow1, 'zombie', new Filed());
    await old.rows(
      `update pawl.run set state = 'Settling', status = 'running', due_at = clock_timestamp() where key = 'zombie'`,
    );
    void old.runtime.worker.takeOverdue(0, 1);
    const goOn = await barrier.arrival();
    await endLease(stage, 'zombie');
    expect(await stage.runtime.versions.migrate(ClaimWorkflow2, { from: 1, ...by })).toMatchObject({
      moved: 1,
    });
    goOn();
    await old.stop();
    expect(await stepsOf('zombie')).toEqual([]);
    expect(await claim('zombie')).toMatchObject({ version: 2, state: 'Settling', status: 'running' });
  });
});
