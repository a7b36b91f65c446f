import { fingerprint } from '../../libs/workflow/src/definition/fingerprint.js';
import { graphDiff } from '../../libs/workflow/src/definition/graph-diff.js';
import { releasedWorkflows, type ReleasedWorkflow } from './released-workflows.js';
import { replay } from './replay.js';
import { savedRelease, savedReleases, savedWorkflows } from './saved-release.js';

const saved = savedReleases().flatMap((release) =>
  savedWorkflows(release).map((workflow) => [release, workflow] as const),
);

describe.each(saved)('What release %s has kept of %s', (release, name) => {
  const { fingerprint: hash, graph, histories } = savedRelease(release, name);
  const { definition, sending } = releasedWorkflows[name] as ReleasedWorkflow;

  // Else a service that is only updated refuses to boot: every option that is new has to be left out of the hash while it is at its default.
  it('has the fingerprint that it had', () => {
    const now = fingerprint(definition());
    expect(graphDiff(graph, now.graph)).toEqual([]);
    expect(now.hash).toBe(hash);
  });

  it.each(histories.map((history) => [history.seed, history] as const))(
    'comes to the same from the deliveries, steps and timers of history %i',
    async (_seed, { inputs, outcome }) => {
      const { run, ...rows } = await replay(definition(), sending, inputs);
      expect(run).toMatchObject(outcome.run);
      expect(rows).toEqual({ ...outcome, run: undefined });
    },
  );
});

it('keeps each of the workflows, for some release', () => {
  expect(new Set(saved.map(([, name]) => name))).toEqual(new Set(Object.keys(releasedWorkflows)));
});
