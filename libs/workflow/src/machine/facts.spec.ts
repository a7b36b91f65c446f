import {
  ItemAdded,
  OrderCancelled,
  orderDefinition,
  OrderSubmitted,
  Remark,
} from '../../../../test/machine/order-workflow.js';
import { delivery, MemoryRun } from '../../../../test/machine/memory-run.js';
import { toLookUp } from './facts.js';

it('names keys always, items once applied, nothing else, and each once', () => {
  const memory = new MemoryRun(orderDefinition());
  memory.deliver(delivery(new OrderSubmitted('Ada')), delivery(new ItemAdded(3, 'bolt')));
  const events = [
    new OrderSubmitted('Ada'),
    new OrderCancelled(),
    new ItemAdded(3, 'bolt'),
    new ItemAdded(3, 'nut'),
    new ItemAdded(4, 'bolt'),
    new Remark('r', 't'),
  ].map((payload) => delivery(payload));
  const unknown = delivery(new Remark('r', 't'), { type: 'constructor' });
  const invalid = delivery(new Remark('r', 't'), { payload: null });
  expect(toLookUp(memory.definition, memory.run, [...events, unknown, invalid])).toEqual([
    { type: 'orders.item-added', subject: 'item:3' },
    { type: 'orders.remark', subject: 'key:r' },
  ]);
});
