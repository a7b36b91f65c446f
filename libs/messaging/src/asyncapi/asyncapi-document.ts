import { type MessageClass, type MessageType, messageTypeOf } from '../message-type.js';
import type { Route } from '../route.js';
import { messageQueue } from '../transport/bull-transport.js';
import { envelopeSchema, sealSchema } from './wire-schemas.js';

/** What is known of a service's messages. */
export interface AsyncApiOptions {
  readonly service: string;
  readonly version: string;
  readonly description: string;
  /** The routes of this service; each names the messages that it carries. */
  readonly sends: readonly Route[];
  /** The routes of other services to this one. */
  readonly receives: readonly { readonly from: string; readonly route: Route }[];
}

/** A JSON document. */
export type AsyncApiDocument = Readonly<Record<string, unknown>>;

/**
 * Describes the messages of a service as an AsyncAPI 3 document, from the declarations that its code runs by: a channel per queue, an operation per route, a
 * message per type and version with the schema that is checked when it is sent and when it arrives. Acknowledgements and questions of
 * the protocol are not in it: they are no business of an application.
 */
export function asyncApiDocument({
  service,
  version,
  description,
  sends,
  receives,
}: AsyncApiOptions): AsyncApiDocument {
  const routes = [
    ...sends.map((route): Passage => ({ action: 'send', queueOf: route.to, peer: route.to, route })),
    ...receives.map(({ from, route }): Passage => ({
      action: 'receive',
      queueOf: service,
      peer: from,
      route,
    })),
  ];
  const types = new Map(routes.flatMap(typesOf).map((type) => [keyOf(type), type]));
  return {
    asyncapi: '3.0.0',
    info: { title: service, version, description, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      [...new Set(routes.map(({ queueOf }) => queueOf))].map((to) => [to, channelTo(to, routes)]),
    ),
    operations: Object.fromEntries(routes.map((passage) => [operationName(passage), operationOf(passage)])),
    components: {
      messages: mapValues(types, messageOf),
      schemas: {
        envelope: envelopeSchema,
        seal: sealSchema,
        ...mapValues(types, ({ schema = {} }) => schema),
      },
    },
  };
}

interface Passage {
  readonly action: 'send' | 'receive';
  readonly queueOf: string;
  readonly peer: string;
  readonly route: Route;
}

function channelTo(service: string, routes: readonly Passage[]): object {
  const types = routes.filter(({ queueOf }) => queueOf === service).flatMap(typesOf);
  return {
    address: messageQueue(service),
    description: `The queue in which ${service} finds its messages, in BullMQ on Redis or PostgreSQL.`,
    messages: Object.fromEntries(
      types.map((type) => [keyOf(type), reference('components', 'messages', keyOf(type))]),
    ),
  };
}

function operationOf(passage: Passage): object {
  const { action, queueOf, peer, route } = passage;
  const order = route.keyOrder === undefined ? 'in any order' : 'in order per subject';
  return {
    action,
    channel: reference('channels', queueOf),
    summary: `${action === 'send' ? 'To' : 'From'} ${peer}: ${route.guarantee}, ${order}.`,
    messages: typesOf(passage).map((type) => reference('channels', queueOf, 'messages', keyOf(type))),
  };
}

function messageOf(type: MessageType): object {
  return {
    name: type.name,
    title: `${type.name}, version ${type.version}`,
    contentType: 'application/json',
    headers: reference('components', 'schemas', 'seal'),
    payload: {
      allOf: [
        reference('components', 'schemas', 'envelope'),
        {
          type: 'object',
          properties: {
            type: { const: type.name },
            dataversion: { const: type.version },
            data: reference('components', 'schemas', keyOf(type)),
          },
        },
      ],
    },
  };
}

function typesOf({ route }: Pick<Passage, 'route'>): MessageType[] {
  return (route.messages ?? []).map((message: MessageClass) => messageTypeOf(message));
}

function operationName({ action, peer }: Passage): string {
  return action === 'send' ? `sendTo.${peer}` : `receiveFrom.${peer}`;
}

function keyOf({ name, version }: MessageType): string {
  return `${name}.v${version}`;
}

function reference(...path: readonly string[]): { $ref: string } {
  return { $ref: `#/${path.join('/')}` };
}

function mapValues<From, To>(map: ReadonlyMap<string, From>, to: (from: From) => To): Record<string, To> {
  return Object.fromEntries([...map].map(([key, value]) => [key, to(value)]));
}
