import { exploreModel, printExploration } from '@pawl/testing';
import { CALM } from './bounds.js';
import { type Bounds, protocolModel } from './protocol-model.js';

/** Each explored to the end. Larger ones: `npm run model`, README.md. */
const SITUATIONS: Readonly<Record<string, Partial<Bounds>>> = {
  'two relays and the receiver die with what they remember': { relays: 2, crashes: 1 },
  'three messages share a window of two': { writes: 3 },
  'a window of one': { writes: 3, window: 1, crashes: 1, relays: 1 },
  'one range for what is out of order': { writes: 3, window: 3, rangesMax: 1 },
  "the sender's database restarts": { restarts: 1, keeps: false },
  'the sender is restored from a backup': { senderRestores: 1 },
  'the receiver is restored from a backup': { writes: 1, receiverRestores: 1 },
  'a message is waived with its copy in flight': { waivers: 1 },
  'a message is waived while its sender restarts': { writes: 1, waivers: 1, restarts: 1 },
};

it.each(Object.entries(SITUATIONS))('%s', (_, bounds) => {
  const exploration = exploreModel(protocolModel({ ...CALM, ...bounds }));
  expect(printExploration(exploration)).toMatch(/^complete: /);
});

/** Where the promises end: the shortest way there is part of the documentation, and a change that moves it is noticed. */
const LIMITS: Readonly<Record<string, Partial<Bounds> & { readonly breaks: string }>> = {
  'without a restore window, what a restored sender has forgotten to have sent takes effect twice': {
    senderRestores: 1,
    keeps: false,
    breaks: 'applied at most once',
  },
  'without a restore window, what a restored receiver has lost is a row of its loss ledger': {
    receiverRestores: 1,
    keeps: false,
    breaks: 'eventually applied',
  },
  'a receiver set back to before a session it has answered takes copies of the session before': {
    receiverRestores: 1,
    restarts: 1,
    breaks: 'applied at most once',
  },
  'a receiver set back to before the newest session of a restored sender does not get back what it lost': {
    receiverRestores: 1,
    senderRestores: 1,
    breaks: 'eventually applied',
  },
};

it.each(Object.entries(LIMITS))('%s', (_, { breaks, ...bounds }) => {
  const exploration = exploreModel(protocolModel({ ...CALM, writes: 1, ...bounds }));
  expect(printExploration(exploration)).toContain(`violated: "${breaks}"`);
});
