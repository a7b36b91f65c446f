import asyncApiSchemas from '@asyncapi/specs';
import { Ajv, type AnySchemaObject } from 'ajv';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { verify } from '@pawl/workflow';
import { parse } from 'yaml';
import { OrderWorkflow, shipping } from '../apps/orders/src/order.workflow.js';
import { ordersRoute, ShipmentWorkflow } from '../apps/shipping/src/shipment.workflow.js';
import { type MessageClass, messageTypeOf } from '@pawl/messaging';
import { asyncApiFiles } from '../scripts/asyncapi-files.js';

const ROOT = resolve(import.meta.dirname, '..');
const RECORDED = JSON.parse(readFileSync(resolve(ROOT, 'test/messaging/fixtures/wire-v1.json'), 'utf8')) as {
  readonly deliveries: readonly { readonly what: string; readonly says: object; readonly sealed: object }[];
};
const FILES = Object.entries(asyncApiFiles());

// Its formats are those of its own tools; whether the document has the form is what is asked.
const official = new Ajv({
  meta: false,
  validateSchema: false,
  strict: false,
  validateFormats: false,
}).compile(asyncApiSchemas.schemas['3.0.0'] as AnySchemaObject);

interface Document {
  readonly operations: Record<
    string,
    { readonly action: string; readonly messages: readonly { $ref: string }[] }
  >;
  readonly components: { readonly schemas: Record<string, AnySchemaObject> };
}

describe.each(FILES)('%s', (path, text) => {
  const document = parse(text) as Document;

  it('is what the code says: else run npm run asyncapi', () => {
    expect(readFileSync(resolve(ROOT, path), 'utf8')).toBe(text);
  });

  it('has the form of AsyncAPI 3', () => {
    expect({ valid: official(document), problems: official.errors }).toEqual({ valid: true, problems: null });
  });

  it('refers to nothing that is not there', () => {
    const references = [...text.matchAll(/\$ref: '?#\/([^'\n]+)/g)].map(([, reference = '']) => reference);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => find(document, reference) === undefined)).toEqual([]);
  });

  it('holds schemas that fit what travels', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false });
    for (const schema of Object.values(document.components.schemas))
      expect(() => ajv.compile(schema)).not.toThrow();
    const { envelope = {}, seal = {} } = document.components.schemas;
    for (const { says, sealed } of RECORDED.deliveries.filter(({ what }) => what.startsWith('message'))) {
      expect(ajv.validate(envelope, says)).toBe(true);
      expect(ajv.validate(envelope, { ...says, sequence: -1 })).toBe(false);
      expect(ajv.validate(seal, sealed)).toBe(true);
    }
  });
});

it('the official schema notices a document that is none', () => {
  const [, text = ''] = FILES[0] ?? [];
  const { operations, ...without } = parse(text) as Document;
  const action = { ...Object.values(operations)[0], action: 'shout' };
  expect(official({ ...without, operations: { one: action } })).toBe(false);
});

it.each([
  ['shipping', ShipmentWorkflow, shipping],
  ['orders', OrderWorkflow, ordersRoute],
])('%s has a handler for all that is sent to it', (_, workflow, { messages = [] }) => {
  const [definition] = verify([Object.create(workflow.prototype as object) as object]);
  const handled = definition?.handlers.map(({ type, typeVersion }) => `${type}@${typeVersion}`) ?? [];
  const sent = messages.map((message: MessageClass) => messageTypeOf(message));
  expect(sent.length).toBeGreaterThan(0);
  expect(sent.filter(({ name, version }) => !handled.includes(`${name}@${version}`))).toEqual([]);
});

function find(document: unknown, path: string): unknown {
  return path
    .split('/')
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], document);
}
