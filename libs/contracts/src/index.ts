export { ItemAdded } from './item-added.js';
export { OrderAccepted } from './order-accepted.js';
export { ORDER_ID } from './order-id.js';
export {
  ITEMS_MAX,
  LINE_LIMITS,
  lineTotalCents,
  type OrderLine,
  orderTotalCents,
  PRINTABLE_TEXT,
} from './order-line.js';
export { OrderReleased } from './order-released.js';
export { OrderShipped } from './order-shipped.js';
export { CUSTOMER_LENGTH_MAX, OrderSubmitted } from './order-submitted.js';
export { type OrderTaken, submitOrder } from './submit-order.js';
