import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { BusyError, CommitUnknownError, DatabaseUnavailableError, PawlError } from '@pawl/core';
import { RequestInProgressError, RequestKeyReusedError } from './idempotent-requests.js';
import { problemOf } from './problem-of.js';

describe('the problem of an error', () => {
  it.each([
    [503, 'busy', new BusyError(undefined)],
    [503, 'database_unavailable', new DatabaseUnavailableError(undefined)],
    [503, 'commit_unknown', new CommitUnknownError(undefined)],
    [409, 'request_in_progress', new RequestInProgressError('k')],
    [422, 'request_key_reused', new RequestKeyReusedError('k')],
    [404, 'not_found', new NotFoundException('Cannot GET /x')],
    [413, 'payload_too_large', { status: 413, type: 'entity.too.large', message: 'limit 262144 in /srv' }],
    [400, 'bad_request', { status: 400, type: 'entity.parse.failed', message: 'Unexpected token' }],
    [503, 'database_unavailable', { code: 'ECONNREFUSED', message: 'connect 10.0.0.1:5432' }],
  ])('is %d %s', (status, code, error) => {
    expect(problemOf(error)).toMatchObject({ status, code, type: `urn:pawl:problem:${code}` });
  });

  it('takes code and detail of an exception that gives them', () => {
    const exception = new HttpException({ code: 'parked_limit', detail: 'Wait.' }, 429);
    expect(problemOf(exception)).toMatchObject({ status: 429, code: 'parked_limit', detail: 'Wait.' });
  });

  it('lists what is wrong with a body', () => {
    expect(problemOf(new BadRequestException(['a must be b', 'c']))).toMatchObject({
      status: 400,
      errors: ['a must be b', 'c'],
    });
  });

  it.each([
    new PawlError('invariant_broken', 'select * from secret'),
    { code: '42601', message: 'syntax error at "secret"' },
    { message: 'secret' },
    undefined,
  ])('tells nothing of what is our own fault (%#)', (error) => {
    const answer = problemOf(error);
    expect(answer).toMatchObject({ status: 500, code: 'internal_error' });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});
