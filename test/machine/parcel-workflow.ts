import { MessageType } from '@pawl/messaging';
import { UpdateRefusedError } from '../../libs/workflow/src/machine/update-refused-error.js';
import { workflow } from '../../libs/workflow/src/definition/workflow.js';

@MessageType({ name: 'parcel.announced', version: 1 })
export class Announced {
  constructor(readonly to: string) {}
}

@MessageType({ name: 'parcel.weighed', version: 1 })
export class Weighed {
  constructor(readonly grams: number) {}
}

@MessageType({ name: 'parcel.delivered', version: 1 })
export class Delivered {}

@MessageType({
  name: 'parcel.address',
  version: 1,
  schema: {
    type: 'object',
    properties: { to: { type: 'string', minLength: 2 } },
    required: ['to'],
    additionalProperties: false,
  },
})
export class Address {
  constructor(readonly to: string) {}
}

export interface Parcel {
  to: string;
  insuredCents?: number;
  grams?: number;
  addresses: number;
}

const parcel = workflow<Parcel>()('parcel', {
  version: 1,
  states: ['Announced', 'OnTheWay', 'Delivered', 'Returned'],
  final: ['Delivered', 'Returned'],
});

/** A parcel whose sender changes its mind: updates that stay, that move, that say no. */
@parcel.Workflow()
export class ParcelWorkflow {
  @parcel.On(Announced, { start: true, to: 'Announced' })
  announced(data: Parcel, event: Announced): void {
    Object.assign(data, { to: event.to, addresses: 1 });
  }

  @parcel.On(Weighed, {
    in: 'Announced',
    to: 'OnTheWay',
    when: (data, event) => event.grams <= 1_000 || data.insuredCents !== undefined,
    competes: true,
  })
  weighed(data: Parcel, event: Weighed): void {
    data.grams = event.grams;
  }

  @parcel.On(Delivered, { in: 'OnTheWay', to: 'Delivered' })
  delivered(): void {}

  @parcel.Timeout({ in: 'Announced', after: '1h', to: 'Returned' })
  notBrought(): void {}

  @parcel.Timeout({ in: 'OnTheWay', after: '1h', attention: 'the parcel is lost' })
  lost(): void {}

  @parcel.Update({ in: ['Announced', 'OnTheWay'], input: Address })
  changeAddress(data: Parcel, { to }: Address): { from: string; addresses: number } {
    const from = data.to;
    if (to === 'nowhere') throw new UpdateRefusedError('we do not go there', { zone: 9 });
    Object.assign(data, { to, addresses: data.addresses + 1 });
    return { from, addresses: data.addresses };
  }

  @parcel.Update({ in: 'Announced' })
  insure(data: Parcel, cents: number): void {
    data.insuredCents = cents;
    if (cents < 0) throw new TypeError('less than nothing');
  }

  @parcel.Update({ in: 'Announced', to: 'Returned' })
  withdraw(data: Parcel): string {
    return `${data.to} waits in vain`;
  }

  @parcel.Query()
  address(data: Readonly<Parcel>): string {
    return data.to;
  }

  @parcel.Query()
  fee(data: Readonly<Parcel>, { perChange }: { perChange: number }): number {
    return data.addresses * perChange;
  }

  @parcel.Query()
  spoil(data: Parcel): number {
    return (data.addresses = 0);
  }

  @parcel.Status()
  status({ to }: Parcel, { state }: { state: string }): { where: string; to: string } {
    return { where: state === 'OnTheWay' ? 'with the courier' : 'with the sender', to };
  }

  undecorated(data: Parcel): string {
    return data.to;
  }
}
