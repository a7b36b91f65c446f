import { MessageType } from '@pawl/messaging';

const text = { type: 'string', minLength: 1, maxLength: 200 };
const plain = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

@MessageType({
  name: 'trips.requested',
  version: 1,
  schema: plain({
    flight: text,
    hotel: text,
    car: text,
    priceCents: { type: 'integer', minimum: 0 },
  }),
})
export class TripRequested {
  constructor(
    readonly flight: string,
    readonly hotel: string,
    readonly car: string,
    readonly priceCents: number,
  ) {}
}

/** The customer does not want it any more. */
@MessageType({ name: 'trips.cancelled', version: 1, schema: plain({ reason: text }) })
export class TripCancelled {
  constructor(readonly reason: string) {}
}
