import { MessageType } from '@pawl/messaging';
import { orderId } from './order-id.js';
import { PRINTABLE_TEXT } from './order-line.js';

export const CUSTOMER_LENGTH_MAX = 200;

/** A customer has opened an order; its items follow one by one. */
@MessageType({
  name: 'order.submitted',
  version: 1,
  schema: {
    type: 'object',
    required: ['orderId', 'customer'],
    additionalProperties: false,
    properties: {
      orderId,
      customer: { type: 'string', maxLength: CUSTOMER_LENGTH_MAX, pattern: PRINTABLE_TEXT.source },
    },
  },
})
export class OrderSubmitted {
  constructor(
    readonly orderId: string,
    readonly customer: string,
  ) {}
}
