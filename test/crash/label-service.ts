// The processes that the crash tests of the exchange kill: a service that prints labels, or a worker that asks one.
// Each loads only what it needs: on a busy machine that is most of their time.
const { DATABASE_URL: url = '', LABELS_URL: labelsUrl } = process.env;

process.once('disconnect', () => process.exit());
if (labelsUrl === undefined) {
  const { openExchangeService } = await import('../http/exchange-service.js');
  const service = await openExchangeService(url);
  process.send?.({ url: service.url });
} else {
  const { startEngine } = await import('../engine/engine-stage.js');
  const { Packed, ShipmentWorkflow } = await import('../http/label-workflow.js');
  const stage = await startEngine({
    workflows: [new ShipmentWorkflow(labelsUrl)],
    url,
    options: { leaseMs: 1_000 },
  });
  process.send?.({ ready: true });
  await stage.client.start(ShipmentWorkflow, 'parcel', new Packed({ weight: 7 }));
}

export {};
