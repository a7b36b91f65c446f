import { MessageType } from '@pawl/messaging';
import { orderId } from './order-id.js';

/** All parcels of the order are with the carrier. */
@MessageType({
  name: 'order.shipped',
  version: 1,
  schema: {
    type: 'object',
    required: ['orderId', 'trackingNumber'],
    additionalProperties: false,
    properties: { orderId, trackingNumber: { type: 'string', pattern: '^[A-Z0-9-]{1,64}$' } },
  },
})
export class OrderShipped {
  constructor(
    readonly orderId: string,
    readonly trackingNumber: string,
  ) {}
}
