import { MessageType } from '@pawl/messaging';
import { workflow } from '@pawl/workflow';

@MessageType({ name: 'permit.asked', version: 1 })
export class Asked {}

@MessageType({ name: 'permit.granted', version: 1 })
export class Granted {}

interface Permit {
  fee?: number;
}

const first = workflow<Permit>()('permit', { version: 1, states: ['Asked', 'Granted'], final: ['Granted'] });
const second = workflow<Permit>()('permit', { version: 2, states: ['Asked', 'Granted'], final: ['Granted'] });

@first.Workflow()
export class PermitOfVersion1 {
  @first.On(Asked, { start: true, to: 'Asked' })
  asked(): void {}

  @first.On(Granted, { in: 'Asked', to: 'Granted' })
  granted(): void {}
}

@second.Workflow()
export class PermitOfVersion2 {
  @second.Migrate({ from: 1 })
  withFee({ state, data }: { state: 'Asked'; data: Permit }) {
    return { state, data: { ...data, fee: 5 } };
  }

  @second.On(Asked, { start: true, to: 'Asked' })
  asked(): void {}

  @second.On(Granted, { in: 'Asked', to: 'Granted' })
  granted(data: Permit): void {
    data.fee = (data.fee ?? 0) + 1;
  }
}

export const permits = [new PermitOfVersion1(), new PermitOfVersion2()];
