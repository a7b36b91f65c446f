import { MessageType } from '@pawl/messaging';
import { orderId } from './order-id.js';
import { ITEMS_MAX, orderLine, type OrderLine } from './order-line.js';

/** An order got a line. `index` counts from 0 and names the line: the same index is the same line. */
@MessageType({
  name: 'order.item-added',
  version: 1,
  schema: {
    type: 'object',
    required: ['orderId', 'index', 'line'],
    additionalProperties: false,
    properties: {
      orderId,
      index: { type: 'integer', minimum: 0, maximum: ITEMS_MAX - 1 },
      line: orderLine,
    },
  },
})
export class ItemAdded {
  constructor(
    readonly orderId: string,
    readonly index: number,
    readonly line: OrderLine,
  ) {}
}
