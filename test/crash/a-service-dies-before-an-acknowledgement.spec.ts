import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

describe('A service dies before an acknowledgement', () => {
  let stage: CrashStage;
  beforeAll(async () => {
    stage = await CrashStage.set();
    // So that numbers are given while the archive is away.
    await stage.openSessions();
    await stage.archive.rest();
  });
  afterEach(async () => {
    await stage.clear();
    await stage.archive.rest();
  });
  afterAll(async () => stage.strike());

  it.each([
    ['its messages are numbered and not published', 'relay.after-numbering', 'away'],
    ['its messages are published', 'relay.after-publish', 'away'],
    ['its messages are to be published again', 'retransmitter.after-taking', 'away'],
    ['its messages are published again', 'retransmitter.after-publish', 'away'],
    ['the acknowledgement is not committed', 'acknowledgements.before-commit', 'there'],
    ['its session is to be asked for', 'sessions.before-asking', 'new'],
    ['its session is not open', 'sessions.before-opening', 'new'],
  ])('the sender, when %s: each is received once', async (_when, crashPoint, archive) => {
    if (archive !== 'away') await stage.archive.receive();
    if (archive === 'new') await stage.forgetSessions();
    const keys = stage.keys(3);
    const sender = await stage.fork({ crashPoint });
    sender.send({ start: keys });
    expect(await sender.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(sender.crashed()).toBe(true);
    if (archive !== 'new') expect(await stage.rows('select 1 from pawl.outbox')).not.toEqual([]);
    if (archive === 'away') await stage.archive.receive();
    const successor = await stage.open();
    await Promise.all(keys.map(async (key) => successor.start(key)));
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });

  it.each([
    ['before it answers a session', 'sessions.before-answer'],
    ['before its messages are committed', 'inbox.before-commit'],
    ['after its messages are committed', 'inbox.after-commit'],
  ])('the receiver, %s: each takes effect once', async (_when, crashPoint) => {
    if (crashPoint.startsWith('sessions')) await stage.forgetSessions();
    const keys = stage.keys(3);
    const receiver = await stage.forkArchive(crashPoint);
    const sender = await stage.open();
    await Promise.all(keys.map(async (key) => sender.start(key)));
    expect(await receiver.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(receiver.crashed()).toBe(true);
    expect(await stage.rows('select 1 from pawl.outbox')).not.toEqual([]);
    await stage.archive.receive();
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });
});
