import { STATUS_CODES } from 'node:http';

/** What an HTTP caller is told about an error, as RFC 9457 wants it (`application/problem+json`). */
export interface HttpProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** For people; names the remedy if there is one. Never a stack trace, an SQL text or an address of a server. */
  readonly detail: string;
  /** Stable: what programs match on. */
  readonly code: string;
  /** Each thing that is wrong, where there are several. */
  readonly errors?: readonly string[];
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Makes a problem; its `type` and title follow from `code` and `status`. */
export function httpProblem({ status, code, detail, errors }: ProblemFacts): HttpProblem {
  const title = STATUS_CODES[status] ?? 'Error';
  const type = `urn:pawl:problem:${code}`;
  return { type, title, status, detail, code, ...(errors === undefined ? {} : { errors }) };
}

type ProblemFacts = Pick<HttpProblem, 'status' | 'code' | 'detail' | 'errors'>;
