import type { JournalRecord, StepRecord } from '@pawl/workflow';
import { timelineOf } from './timeline.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const entry = (revision: number, second: number): JournalRecord => ({
  revision,
  kind: 'event',
  name: 'order.submitted',
  subject: '',
  verdict: 'applied',
  rule: 'started',
  detail: null,
  fromState: null,
  toState: 'Submitted',
  source: 'http',
  eventId: 'k',
  at: at(second),
});

const step = (name: string, startedAt: Date, finishedAt: Date | null): StepRecord => ({
  name,
  kind: 'step',
  undoes: null,
  inDoubt: false,
  items: null,
  item: -1,
  generation: 0,
  status: finishedAt === null ? 'intent' : 'done',
  effect: 'external',
  attempts: 1,
  idempotencyKey: name,
  startedAt,
  nextAttemptAt: null,
  deadline: null,
  leftBehind: false,
  finishedAt,
  output: null,
  errors: [],
});

describe('the timeline of a run', () => {
  it('places a step where it finished, or where it began if it is still open', () => {
    const steps = [step('charge', at(1), at(5)), step('release', at(6), null)];
    const story = timelineOf({ journal: [entry(1, 0), entry(2, 3), entry(3, 7)], steps });
    expect(story.map(({ name, of }) => (of === 'step' ? name : of))).toEqual([
      'journal',
      'journal',
      'charge',
      'release',
      'journal',
    ]);
  });

  it('tells a step before the transition of the same instant', () => {
    const story = timelineOf({ journal: [entry(1, 5)], steps: [step('charge', at(1), at(5))] });
    expect(story.map(({ of }) => of)).toEqual(['step', 'journal']);
  });
});
