import { MessageType } from '@pawl/messaging';
import { type StepContext, workflow } from '@pawl/workflow';
import { type Label, type Parcel, printLabel } from './exchange-service.js';

@MessageType({ name: 'parcel.packed', version: 1 })
export class Packed {
  constructor(readonly parcel: Parcel) {}
}

interface Shipment {
  parcel?: Parcel;
}

const shipment = workflow<Shipment>()('shipment', {
  version: 1,
  states: ['Packed', 'Labelled'],
  final: ['Labelled'],
});

/** Has its label printed by another service. */
@shipment.Workflow()
export class ShipmentWorkflow {
  constructor(private readonly labelsUrl: string) {}

  @shipment.On(Packed, { start: true, to: 'Packed' })
  packed(data: Shipment, { parcel }: Packed): void {
    data.parcel = parcel;
  }

  @shipment.Step({
    in: 'Packed',
    to: 'Labelled',
    effect: 'external',
    timeout: '10s',
    retry: { attempts: 5, backoff: 'fixed', delay: 20 },
  })
  async label({ data, request }: StepContext<Shipment>): Promise<Label> {
    return request(this.labelsUrl, { type: printLabel, body: data.parcel ?? { weight: 0 } });
  }
}
