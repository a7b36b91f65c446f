import { KEY_LENGTH_MAX } from '../envelope.js';
import { WIRE_VERSION } from '../integrity/wire-version.js';
import { PARTITIONS_MAX } from '../route.js';

const uuid = { type: 'string', format: 'uuid' } as const;
const number = { type: 'integer', minimum: 0 } as const;

/** The body of a delivery that is a message: a CloudEvents event in structured JSON. */
export const envelopeSchema = {
  type: 'object',
  description:
    'A CloudEvents 1.0 event. Its stream, partition, incarnation and sequence identify it for ever.',
  required: [
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'datacontenttype',
    'dataversion',
    'stream',
    'partition',
    'incarnation',
    'sequence',
    'transmission',
    'data',
  ],
  properties: {
    pawlversion: {
      type: 'integer',
      maximum: WIRE_VERSION,
      description: 'Version of this format; 1 if it is missing.',
    },
    specversion: { const: '1.0' },
    id: uuid,
    source: { type: 'string', description: 'The sending service.' },
    type: { type: 'string' },
    subject: { type: 'string', maxLength: KEY_LENGTH_MAX, description: 'The ordering key.' },
    time: { type: 'string', format: 'date-time', description: 'When it was written to the outbox.' },
    datacontenttype: { const: 'application/json' },
    dataversion: { type: 'integer', minimum: 1, description: 'Version of the message type.' },
    stream: { type: 'string', description: 'source.destination' },
    partition: { ...number, maximum: PARTITIONS_MAX - 1 },
    incarnation: { ...uuid, description: 'Of the sender: its numbers mean something only together with it.' },
    sequence: { ...number, description: 'Dense from 0 within partition and incarnation.' },
    keyorder: {
      enum: ['hold', 'pass'],
      description: 'Set if the messages of a subject are handled in order.',
    },
    previous: { ...number, description: 'The number before it of the same subject.' },
    guarantee: { enum: ['at-least-once', 'at-most-once'], description: 'Exactly once if it is missing.' },
    transmission: { type: 'integer', minimum: 1, description: 'How often it was sent.' },
    traceparent: { type: 'string', description: 'W3C trace context.' },
    data: { description: 'The payload, by type; null if it does not travel.' },
    dataref: {
      type: 'string',
      description: "Where the payload is at its sender's feed, if it does not travel.",
    },
    datadigest: { type: 'string' },
    datasize: number,
  },
} as const;

/** What stands beside the body of a delivery. */
export const sealSchema = {
  type: 'object',
  description:
    'Standard Webhooks: HMAC-SHA256 over id.timestamp.body with a key derived (HKDF) for this sender and this receiver.',
  required: ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'key', 'from', 'to'],
  properties: {
    'webhook-id': { type: 'string' },
    'webhook-timestamp': { type: 'string', description: 'Seconds since 1970. Messages grow no stale.' },
    'webhook-signature': { type: 'string', description: 'v1,<base64>' },
    key: { type: 'string', description: 'Id of the key.' },
    from: { type: 'string' },
    to: { type: 'string' },
  },
} as const;
