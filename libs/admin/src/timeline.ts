import type { JournalRecord, RunRecord, StepRecord } from '@pawl/workflow';

/** Something that happened to a run: an entry of its journal, or the latest news of a step. */
export type TimelineEntry =
  ({ readonly of: 'journal' } & JournalRecord) | ({ readonly of: 'step'; readonly at: Date } & StepRecord);

/** Journal and steps of a run as one story, in the order of time. */
export function timelineOf({ journal, steps }: Pick<RunRecord, 'journal' | 'steps'>): TimelineEntry[] {
  const entries: TimelineEntry[] = [
    ...steps.map((step) => ({ of: 'step' as const, at: step.finishedAt ?? step.startedAt, ...step })),
    ...journal.map((entry) => ({ of: 'journal' as const, ...entry })),
  ];
  // Stable: a step stands before the transition that it made in the same instant.
  return entries.sort((a, b) => a.at.getTime() - b.at.getTime());
}
