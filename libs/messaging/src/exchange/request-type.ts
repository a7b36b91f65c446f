import { PawlError } from '@pawl/core';
import { Ajv, type AnySchemaObject } from 'ajv';
import { TYPE_NAME, TYPE_NAME_LENGTH_MAX } from '../message-type.js';
import { payloadProblems } from '../payload.js';

export interface RequestTypeOptions {
  /** The wire name, `orders.quote`: lower case words, dots and hyphens. A new meaning or shape gets a new name, `orders.quote-2`. */
  readonly name: string;
  /** JSON Schema of the body; compiled once, at declaration. Without it only the general limits of payloads are checked. */
  readonly schema?: AnySchemaObject;
}

/** What one side asks and the other answers: shared by {@link RequestHandler} and {@link ExchangeClient}, so the compiler compares them. */
export interface RequestType<Body, Answer> {
  readonly name: string;
  /** What is wrong with a body of this type; empty if nothing is. Never throws. */
  readonly problems: (body: unknown) => string[];
  /** For the compiler only. */
  readonly types?: { readonly body: Body; readonly answer: Answer };
}

/**
 * Declares a request that is exchanged by id: `requestType<QuoteWanted, Quote>({ name: 'orders.quote', schema })`. Bodies and answers
 * are plain JSON.
 * @throws PawlError `request_type_invalid`: the name or the schema is wrong.
 */
export function requestType<Body, Answer>(options: RequestTypeOptions): RequestType<Body, Answer> {
  const { name, schema } = options;
  if (!TYPE_NAME.test(name) || name.length > TYPE_NAME_LENGTH_MAX)
    throw invalid(name, `the name is not like 'orders.quote'`);
  const ofSchema = schema === undefined ? () => [] : compiled(name, schema);
  return {
    name,
    problems: (body) => {
      const general = payloadProblems(body).map((problem) => `the body ${problem}`);
      return general.length > 0 ? general : ofSchema(body);
    },
  };
}

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const PROBLEMS_MAX = 20;

function compiled(name: string, schema: AnySchemaObject): (body: unknown) => string[] {
  try {
    const validate = ajv.compile(schema);
    return (body) => {
      if (validate(body)) return [];
      const errors = (validate.errors ?? []).slice(0, PROBLEMS_MAX);
      return errors.map(
        ({ instancePath, message }) => `${instancePath || 'the body'} ${message ?? 'is invalid'}`,
      );
    };
  } catch (error) {
    throw invalid(name, `its JSON Schema does not compile: ${(error as Error).message}`, error);
  }
}

function invalid(name: string, why: string, cause?: unknown): PawlError {
  return new PawlError('request_type_invalid', `requestType '${name}': ${why}.`, { name }, cause);
}
