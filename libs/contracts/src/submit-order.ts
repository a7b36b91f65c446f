import { requestType } from '@pawl/messaging';
import { orderId } from './order-id.js';
import { PRINTABLE_TEXT } from './order-line.js';
import { CUSTOMER_LENGTH_MAX } from './order-submitted.js';

/** What became of an order that was asked for. */
export interface OrderTaken {
  readonly orderId: string;
  /** `applied`, or why not: a duplicate, late, or rejected. */
  readonly verdict: string;
  readonly rule: string;
  readonly state: string | null;
}

/** Opens an order by the HTTP exchange of the orders service. */
export const submitOrder = requestType<{ readonly orderId: string; readonly customer: string }, OrderTaken>({
  name: 'orders.submit',
  schema: {
    type: 'object',
    required: ['orderId', 'customer'],
    additionalProperties: false,
    properties: {
      orderId,
      customer: { type: 'string', maxLength: CUSTOMER_LENGTH_MAX, pattern: PRINTABLE_TEXT.source },
    },
  },
});
