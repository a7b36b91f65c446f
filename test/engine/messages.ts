import type { Envelope } from '@pawl/messaging';
import { v7 as uuidv7 } from 'uuid';

const INCARNATION = uuidv7();

/** An item of an order as another service sends it. */
export function itemAddedMessage(subject: string, sequence: number): Envelope {
  return {
    specversion: '1.0',
    id: uuidv7(),
    source: 'other',
    type: 'small.item-added',
    subject,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataversion: 1,
    stream: 'other.test',
    partition: 0,
    incarnation: INCARNATION,
    sequence,
    transmission: 1,
    data: { index: 0, product: 'tea' },
  };
}
