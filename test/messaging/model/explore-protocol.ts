// Explores the protocol within larger bounds than the specs do: npm run model -- --messages 4 --crashes 2
import { parseArgs } from 'node:util';
import { exploreModel, printExploration } from '@pawl/testing';
import { CALM } from './bounds.js';
import { type Bounds, protocolModel } from './protocol-model.js';

const OPTIONS = {
  messages: 'writes',
  crashes: 'crashes',
  restarts: 'restarts',
  'sender-restores': 'senderRestores',
  'receiver-restores': 'receiverRestores',
  questions: 'questions',
  waivers: 'waivers',
  relays: 'relays',
  window: 'window',
  ranges: 'rangesMax',
} as const;

const PROGRESS_EVERY = 50_000;

const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' as const }])),
    states: { type: 'string', default: '1000000' },
    'no-restore-window': { type: 'boolean', default: false },
  },
});
const given = Object.entries(OPTIONS).flatMap(([option, bound]) => {
  const value = values[option as keyof typeof values];
  return value === undefined ? [] : [[bound, wholeNumber(option, String(value))]];
});
const bounds: Bounds = { ...CALM, keeps: !values['no-restore-window'], ...Object.fromEntries(given) };
process.stdout.write(`${JSON.stringify(bounds)}\n`);

const exploration = exploreModel(protocolModel(bounds), {
  statesMax: wholeNumber('states', String(values.states)),
  onProgress: ({ states, waiting, depth }) => {
    if (states % PROGRESS_EVERY === 0)
      process.stdout.write(`${states} states, ${waiting} to explore, ${depth} actions deep\n`);
  },
});
process.stdout.write(`${printExploration(exploration)}\n`);
process.exitCode = exploration.outcome === 'violated' ? 1 : 0;

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${option} is '${text}', not a whole number.`);
  return Number(text);
}
