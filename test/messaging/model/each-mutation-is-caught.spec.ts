import { exploreModel, printExploration } from '@pawl/testing';
import { CALM } from './bounds.js';
import { MUTATIONS } from './mutations.js';
import { protocolModel } from './protocol-model.js';

it.each(Object.entries(MUTATIONS))('%s', (_, { bounds, breaks, ...changes }) => {
  const exploration = exploreModel(protocolModel({ ...CALM, ...bounds }, changes), {
    statesMax: 50_000,
    restMax: 200,
  });
  expect(printExploration(exploration)).toContain(`violated: "${breaks}"`);
});
