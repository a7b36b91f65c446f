import type { GatewayCall } from './gateway-ledger.js';
import type { DemoOptions } from './options.js';
import type { FaultCount } from './report.js';
import type { Show } from './show.js';
import type { Stage } from './stage.js';

/** How often each fault fired, as seen by whoever caused it. One that never did makes the demo worthless. */
export function countFaults(
  options: DemoOptions,
  show: Show,
  stage: Stage,
  calls: readonly GatewayCall[],
): readonly FaultCount[] {
  const stolen = options.dropHints ? [{ name: 'hint thrown away', fired: stage.hintsStolen ?? 0 }] : [];
  if (!options.faults) return stolen;
  const { client, sentAfterwards, kills } = show;
  const { taken, twice, thrice, overtaken } = stage.courierCounts;
  const misbehaved = (answer: GatewayCall['answer']) => calls.filter((call) => call.answer === answer).length;
  const carried = Object.values(taken).reduce((sum, count) => sum + count, 0);
  return [
    ...stolen,
    ...kills.map((kill) => kill.count),
    { name: 'message delivered twice', fired: twice, detail: `of ${carried} messages and acknowledgements` },
    { name: 'message delivered three times', fired: thrice },
    { name: 'delivery after one that was sent later', fired: overtaken },
    { name: 'request repeated under its key', fired: client.repeated.later },
    { name: 'request repeated at the same moment', fired: client.repeated.atOnce },
    {
      name: 'request sent before its order',
      fired: client.early,
      detail: `${client.verdicts.get('early run-not-started') ?? 0} answers knew of no order yet`,
    },
    { name: 'payment refused with 503', fired: misbehaved('fail') },
    { name: 'payment charged, answered late', fired: misbehaved('late') },
    { name: 'payment charged, never answered', fired: misbehaved('hang') },
    { name: 'known fact sent again under a new key', fired: sentAfterwards.known },
    {
      name: 'contradicting fact sent',
      fired: sentAfterwards.contradicting,
      detail: 'each has to be refused',
    },
  ];
}
