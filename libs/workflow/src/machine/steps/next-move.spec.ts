import { Agency, TripWorkflow } from '../../../../../test/engine/trip.js';
import { definitionOf } from '../../definition/verify.js';
import type { StepDefinition } from '../../model/definition.js';
import { type StepRecord, stepRecord } from '../../model/step-record.js';
import { nextMove, waitOf, waitOfUndo } from './next-move.js';

const plain = definitionOf(new TripWorkflow(new Agency())).steps[0] as StepDefinition;
const once: StepDefinition = { ...plain, guarantee: 'at-most-once' };
const { retry, timeoutMs, run } = plain;
const asked: StepDefinition = {
  ...plain,
  confirmation: { name: 'wasBooked', unknown: 'person', retry, timeoutMs, run: run as never },
};
const record = (facts: Partial<StepRecord>) => stepRecord({ name: 'flight', status: 'retrying', ...facts });

it.each<[move: string, what: string, step: StepDefinition, facts: Partial<StepRecord>]>([
  ['attempt', 'is in doubt, and nobody can be asked', plain, { inDoubt: true }],
  ['attempt', 'was refused, and has attempts left', plain, {}],
  ['give-up', 'has spent its attempts', plain, { attempts: 2, inDoubt: true }],
  ['give-up', 'would begin too late', plain, { expiresMs: 5, waitMs: 5 }],
  ['confirm', 'is in doubt, and can be asked about', asked, { inDoubt: true }],
  ['confirm', 'has spent its attempts, the last in doubt', asked, { inDoubt: true, attempts: 2 }],
  ['confirm', 'is out of time, and in doubt', asked, { inDoubt: true, expiresMs: 0 }],
  ['attempt', 'did not happen', asked, { attempts: 1 }],
  ['give-up', 'did not happen, and has spent its attempts', asked, { attempts: 2 }],
  ['lose', 'is made at most once, and in doubt', once, { inDoubt: true }],
  ['lose', 'the same, its attempts spent', once, { inDoubt: true, attempts: 2 }],
  ['attempt', 'is made at most once, and was refused', once, {}],
])('%s a step that %s', (move, _, step, facts) => {
  expect(nextMove(step, record(facts))).toBe(move);
});

it('waits before it loses a step until that can not take effect any more', () => {
  expect(waitOf(once, record({ inDoubt: true, doubtMs: 70, waitMs: 5 }))).toBe(70);
  expect(waitOf(asked, record({ inDoubt: true, doubtMs: 70, waitMs: 5 }))).toBe(5);
});

describe('before an effect is undone', () => {
  it('waits until no attempt of it can have any effect any more', () => {
    expect(waitOfUndo({ record: record({ inDoubt: true, doubtMs: 70, waitMs: 90 }), undo: undefined })).toBe(
      70,
    );
  });

  it('waits for its time to ask again', () => {
    const failed = record({ inDoubt: true, doubtMs: 0, waitMs: 90, confirmAttempts: 1 });
    expect(waitOfUndo({ record: failed, undo: undefined })).toBe(90);
  });

  it('waits for the next attempt of its compensation, and for nothing else', () => {
    const undo = record({ kind: 'compensation', waitMs: 30 });
    expect(waitOfUndo({ record: record({ doubtMs: 70 }), undo })).toBe(30);
  });
});
