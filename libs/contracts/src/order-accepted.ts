import { MessageType } from '@pawl/messaging';
import { orderId } from './order-id.js';
import { ITEMS_MAX } from './order-line.js';

/** The customer has confirmed the order, and says how many items it has, so that nobody acts on a part of it. */
@MessageType({
  name: 'order.accepted',
  version: 1,
  schema: {
    type: 'object',
    required: ['orderId', 'itemCount'],
    additionalProperties: false,
    properties: { orderId, itemCount: { type: 'integer', minimum: 1, maximum: ITEMS_MAX } },
  },
})
export class OrderAccepted {
  constructor(
    readonly orderId: string,
    readonly itemCount: number,
  ) {}
}
