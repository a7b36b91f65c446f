// The processes that the crash tests of the exchange kill: a service that prints labels, or a worker that asks one.
import { startEngine } from '../engine/engine-stage.js';
import { openExchangeService } from '../http/exchange-service.js';
import { Packed, ShipmentWorkflow } from '../http/label-workflow.js';

const { DATABASE_URL: url = '', LABELS_URL: labelsUrl } = process.env;

process.once('disconnect', () => process.exit());
if (labelsUrl === undefined) {
  const service = await openExchangeService(url);
  process.send?.({ url: service.url });
} else {
  const stage = await startEngine({
    workflows: [new ShipmentWorkflow(labelsUrl)],
    url,
    options: { leaseMs: 1_000 },
  });
  process.send?.({ ready: true });
  await stage.client.start(ShipmentWorkflow, 'parcel', new Packed({ weight: 7 }));
}
