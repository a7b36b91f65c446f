import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { PawlError, sqlErrorKind } from '@pawl/core';
import { type HttpProblem, httpProblem } from './http-problem.js';

/**
 * The problem that an error is for an HTTP caller. Only errors that are made for callers show their message: an
 * `HttpException`, a body that could not be read, and the Pawl errors listed here. Everything else is a 500 that says nothing.
 */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpException) return ofHttpException(error);
  if (error instanceof PawlError) {
    const status = STATUS[error.code];
    const detail = error.message;
    const errors = error.details['errors'] as readonly string[] | undefined;
    if (status !== undefined)
      return httpProblem({ status, code: error.code, detail, ...(errors && { errors }) });
  }
  const kind = sqlErrorKind(error);
  if (kind === 'unavailable' || kind === 'busy' || kind === 'retry') return UNAVAILABLE;
  return ofRequestReading(error) ?? INTERNAL;
}

const STATUS: Readonly<Record<string, number>> = {
  control_invalid: 400,
  idempotency_key_missing: 400,
  idempotency_key_invalid: 400,
  exchange_id_invalid: 400,
  exchange_body_invalid: 400,
  webhook_headers_invalid: 400,
  webhook_payload_invalid: 400,
  webhook_signature_invalid: 401,
  webhook_timestamp_outside: 401,
  exchange_not_found: 404,
  run_not_found: 404,
  webhook_source_unknown: 404,
  request_in_progress: 409,
  start_conflict: 409,
  control_refused: 409,
  exchange_id_expired: 410,
  exchange_id_ahead: 410,
  exchange_forgotten: 410,
  request_key_reused: 422,
  exchange_body_differs: 422,
  request_type_unknown: 422,
  too_many_awaited: 429,
  busy: 503,
  route_congested: 503,
  too_many_polls: 503,
  database_unavailable: 503,
  commit_unknown: 503,
};

const UNAVAILABLE = httpProblem({
  status: 503,
  code: 'database_unavailable',
  detail: 'PostgreSQL can not be used at the moment; nothing was changed.',
});

const INTERNAL = httpProblem({
  status: 500,
  code: 'internal_error',
  detail: 'Something went wrong on our side. It has been logged.',
});

/** Nest's own exceptions, with a text or with `{ code, detail }` or `{ message: [...] }` as their response. */
function ofHttpException(exception: HttpException): HttpProblem {
  const status = exception.getStatus();
  const response = exception.getResponse();
  const given = (typeof response === 'string' ? { message: response } : response) as GivenResponse;
  const code = given.code ?? codeOf(status);
  if (typeof given.message === 'object') {
    return httpProblem({ status, code, detail: 'The request is invalid.', errors: given.message });
  }
  return httpProblem({ status, code, detail: given.detail ?? given.message ?? exception.message });
}

interface GivenResponse {
  readonly code?: string;
  readonly detail?: string;
  readonly message?: string | readonly string[];
}

/** Errors of the body parser and of the router: they carry a status, and their own text is replaced. */
function ofRequestReading(error: unknown): HttpProblem | undefined {
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  const detail = type === 'entity.too.large' ? 'The body is too large.' : 'The request could not be read.';
  return httpProblem({ status, code: codeOf(status), detail });
}

function codeOf(status: number): string {
  return (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(/\W+/g, '_');
}
