import { parseArgs } from 'node:util';
import { explore, printExploration } from '@pawl/testing';
import { protocolModel } from './protocol-model.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2' },
    crashes: { type: 'string', default: '1' },
    flushes: { type: 'string', default: '1' },
    restarts: { type: 'string', default: '0' },
    waivers: { type: 'string', default: '0' },
    sr: { type: 'string', default: '0' },
    rr: { type: 'string', default: '0' },
    questions: { type: 'string', default: '0' },
    window: { type: 'string', default: '2' },
    ranges: { type: 'string', default: '2' },
    relays: { type: 'string', default: '2' },
    states: { type: 'string', default: '300000' },
  },
});
const started = performance.now();
const n = (x: string): number => Number(x);
const model = protocolModel({
  writes: n(values.messages),
  crashes: n(values.crashes),

  restarts: n(values.restarts),
  senderRestores: n(values.sr),
  receiverRestores: n(values.rr),
  questions: n(values.questions),
  waivers: n(values.waivers),
  window: n(values.window),
  rangesMax: n(values.ranges),
  relays: n(values.relays),
  keeps: true,
});
const x = explore(model, {
  statesMax: n(values.states),
  onProgress: (p) => p.states % 100000 === 0 && console.log(p),
});
console.log(
  process.argv.slice(2).join(' '),
  printExploration(x),
  `${Math.round(performance.now() - started)} ms`,
);
