import { assertConverges, startTestEngine, type TestEngine } from '@pawl/testing';
import { type Approval, DocumentApprovalWorkflow } from './document-approval.workflow.js';
import {
  ChangeReviewer,
  DocumentSubmitted,
  PublicationRequested,
  ReviewApproved,
  ReviewRejected,
} from './messages.js';

const SCHEMA = 'create table published_document (id text primary key, title text not null)';
const submitted = new DocumentSubmitted('Plan', 'Ada', ['Ben', 'Cleo']);
const [ben, cleo] = [new ReviewApproved('Ben'), new ReviewApproved('Cleo')];
const benRejects = new ReviewRejected('Ben', 'no figures');

describe('the approval of a document', () => {
  let engine: TestEngine;
  const mails: string[] = [];

  beforeAll(async () => {
    const send = async ({ to, subject }: { to: readonly string[]; subject: string }) =>
      void mails.push(`${to.join(', ')}: ${subject}`);
    engine = await startTestEngine({ workflows: [new DocumentApprovalWorkflow({ send })], schema: SCHEMA });
  });
  beforeEach(() => (mails.length = 0));
  afterAll(async () => engine.stop());

  const document = (key: string) => ({
    tell: async (...events: object[]) => {
      const verdicts: string[] = [];
      for (const event of events) {
        const { verdict, rule } = await engine.client.deliver(DocumentApprovalWorkflow, key, event);
        verdicts.push(`${verdict} ${rule}`);
      }
      await engine.drain();
      return verdicts;
    },
    change: async (from: string, to: string) =>
      engine.client.update(DocumentApprovalWorkflow, key, 'changeReviewer', new ChangeReviewer(from, to)),
    open: async () => engine.client.query(DocumentApprovalWorkflow, key, 'openReviews'),
    status: async () => engine.client.status(DocumentApprovalWorkflow, key),
    state: async () => (await engine.client.runOf(DocumentApprovalWorkflow, key))?.state,
  });
  const pass = async (time: '1d' | '2d' | '3d' | '25d') => {
    await engine.clock.advance(time);
    await engine.drain();
  };

  it('is published once all have agreed, if the author wants it, whatever comes first', async () => {
    const { tell, open, state } = document('all agree');
    expect(await tell(ben, new PublicationRequested(), submitted)).toEqual([
      'early run-not-started',
      'early run-not-started',
      'applied started',
    ]);
    expect(await open()).toEqual(['Cleo']);
    expect(await tell(cleo, cleo)).toEqual(['applied accepted', 'duplicate key-seen']);
    expect(await state()).toBe('Published');
    expect(await engine.rows('select * from published_document')).toEqual([
      { id: 'all agree', title: 'Plan' },
    ]);
  });

  it('is refused by the first who rejects it', async () => {
    const { tell, status } = document('rejected');
    const verdicts = await tell(submitted, benRejects, cleo, new ReviewRejected('Cleo', 'too long'));
    expect(verdicts.slice(1)).toEqual(['applied accepted', 'late never-applied', 'late never-applied']);
    expect(await status()).toEqual({
      title: 'Plan',
      stage: 'rejected by Ben: no figures',
      waitingFor: [],
    });
  });

  it('reminds who has not answered, then asks the author, then expires', async () => {
    const { tell, status, state } = document('slow');
    await tell(submitted, ben);
    await pass('1d');
    expect(mails).toEqual([]);
    await pass('1d');
    expect(mails).toEqual(['Cleo: Please review "Plan"']);
    await pass('3d');
    expect(mails.slice(1)).toEqual(['Ada: Who shall review "Plan" instead?']);
    expect(await status()).toEqual({
      title: 'Plan',
      stage: 'in review for long: you can name other reviewers',
      waitingFor: ['Cleo'],
    });
    await pass('25d');
    expect(await state()).toBe('Expired');
    expect(mails).toHaveLength(2);
  });

  it('has a reviewer changed, whose approval may have come before', async () => {
    const { tell, change, state } = document('changed');
    await tell(submitted, ben, new PublicationRequested());
    expect(await tell(new ReviewApproved('Dora'))).toEqual(['early guard-not-met']);
    // Her approval, and the request for publication, are taken in the same transaction.
    expect(await change('Cleo', 'Dora')).toEqual({ open: ['Dora'] });
    await engine.drain();
    expect(await state()).toBe('Published');
  });

  it('has no reviewer changed who has answered, or after the deadline', async () => {
    const { tell, change } = document('unchanged');
    await tell(submitted, ben);
    await expect(change('Ben', 'Dora')).rejects.toMatchObject({
      code: 'update_refused',
      message: 'Ben has no open review',
    });
    await expect(change('Cleo', '')).rejects.toMatchObject({ details: { rule: 'invalid-input' } });
    await engine.clock.advance('31d');
    await expect(change('Cleo', 'Dora')).rejects.toMatchObject({ details: { rule: 'run-ended' } });
  });
});

describe('every order of the answers', () => {
  const isDecidedByAll = {
    'nothing is published that somebody has not agreed to': ({
      state,
      data,
    }: {
      state: string | null;
      data: unknown;
    }) =>
      state !== 'Published' ||
      Object.values((data as Approval).reviews).every((review) => review === 'approved'),
  };

  it('ends the same if all agree', () => {
    const { ends } = assertConverges(
      DocumentApprovalWorkflow,
      [submitted, ben, cleo, new PublicationRequested()],
      { invariants: isDecidedByAll },
    );
    expect(ends).toEqual(['Published, completed']);
  });

  it('is a race if one rejects, which nobody wins against him', () => {
    const { ends } = assertConverges(
      DocumentApprovalWorkflow,
      [submitted, benRejects, cleo, new PublicationRequested()],
      { invariants: isDecidedByAll, timers: true },
    );
    expect(ends.some((end) => end.startsWith('Published'))).toBe(false);
    expect(ends.some((end) => end.startsWith('Rejected'))).toBe(true);
  });
});
