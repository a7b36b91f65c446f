import { MessageType } from '@pawl/messaging';
import { orderId } from './order-id.js';

/** Stock is reserved and the customer has paid: the order may leave the house. */
@MessageType({
  name: 'order.released',
  version: 1,
  schema: {
    type: 'object',
    required: ['orderId'],
    additionalProperties: false,
    properties: { orderId },
  },
})
export class OrderReleased {
  constructor(readonly orderId: string) {}
}
