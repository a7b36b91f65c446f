import { PawlError } from '@pawl/core';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import { payloadProblems } from './payload.js';

export interface MessageTypeOptions {
  /** The wire name, `orders.submitted`: lower case words, dots and hyphens. Never the class name, which may be renamed. */
  readonly name: string;
  /** Raised when the meaning or shape of the payload changes incompatibly. A whole number from 1 on. */
  readonly version: number;
  /** JSON Schema of the payload; compiled once, at declaration. Without it only the general limits are checked. */
  readonly schema?: AnySchemaObject;
}

/** What a decorated class declares about its messages. */
export interface MessageType {
  readonly name: string;
  readonly version: number;
  /** JSON Schema of the payload, if one was declared. */
  readonly schema?: AnySchemaObject;
  /** What is wrong with a payload of this type; empty if nothing is. Never throws. */
  readonly problems: (payload: unknown) => string[];
}

/** A class that is the TypeScript side of a message type: its instances are plain JSON. */
export type MessageClass<Payload = unknown> = abstract new (...args: never[]) => Payload;

/**
 * Gives a class its name on the wire and, if wished, a schema that is checked when a message is sent and when it arrives.
 * @throws PawlError `message_type_invalid`: name, version or schema is wrong.
 */
export function MessageType(options: MessageTypeOptions): ClassDecorator {
  return (target) => {
    const declared = declare(options, target.name);
    Object.defineProperty(target, DECLARED, { value: declared });
  };
}

/**
 * What `@MessageType` declared for this very class; a parent's declaration does not count.
 * @throws PawlError `message_type_missing`
 */
export function messageTypeOf(target: MessageClass): MessageType {
  const declared = Object.hasOwn(target, DECLARED) ? (target as unknown as Declared)[DECLARED] : undefined;
  if (declared !== undefined) return declared;
  throw new PawlError(
    'message_type_missing',
    `${target.name} is no message type: put @MessageType({ name: 'service.fact', version: 1 }) on the class.`,
    { class: target.name },
  );
}

const DECLARED = Symbol.for('pawl.message-type');
interface Declared {
  readonly [DECLARED]?: MessageType;
}

export const TYPE_NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/;
export const TYPE_NAME_LENGTH_MAX = 100;
const PROBLEMS_MAX = 20;
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });

function declare({ name, version, schema }: MessageTypeOptions, className: string): MessageType {
  if (!TYPE_NAME.test(name) || name.length > TYPE_NAME_LENGTH_MAX) {
    throw invalid(className, `the name '${name}' is not like 'orders.submitted'`);
  }
  if (!Number.isInteger(version) || version < 1) {
    throw invalid(className, `the version ${version} is not a whole number from 1 on`);
  }
  const validate = schema === undefined ? undefined : compile(schema, className);
  return {
    name,
    version,
    ...(schema === undefined ? {} : { schema }),
    problems: (payload) => problemsOf(payload, validate),
  };
}

function compile(schema: AnySchemaObject, className: string): ValidateFunction {
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw invalid(className, `its JSON Schema does not compile: ${(error as Error).message}`, error);
  }
}

function problemsOf(payload: unknown, validate: ValidateFunction | undefined): string[] {
  const general = payloadProblems(payload).map((problem) => `the payload ${problem}`);
  if (general.length > 0 || validate === undefined || validate(payload)) return general;
  return (validate.errors ?? [])
    .slice(0, PROBLEMS_MAX)
    .map(
      ({ instancePath, message }) =>
        `${instancePath === '' ? 'the payload' : instancePath} ${message ?? 'is invalid'}`,
    );
}

function invalid(className: string, why: string, cause?: unknown): PawlError {
  return new PawlError(
    'message_type_invalid',
    `@MessageType on ${className}: ${why}.`,
    { class: className },
    cause,
  );
}
