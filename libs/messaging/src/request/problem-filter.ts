import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { problemOf } from './problem-of.js';
import { PROBLEM_TYPE } from './http-problem.js';

/**
 * Answers every error of an HTTP request as problem+json, `Retry-After` included where repeating helps. Register it as `APP_FILTER`, so
 * that it also sees bodies that can not be read and routes that do not exist.
 */
@Injectable()
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const response: unknown = host.switchToHttp().getResponse();
    const problem = problemOf(error);
    if (problem.status === 500) this.logger.error(error);
    else if (problem.status > 500) this.logger.warn(`${problem.code}: ${problem.detail}`);
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response);
      return;
    }
    httpAdapter.setHeader(response, 'Content-Type', PROBLEM_TYPE);
    if (isPassing(problem)) httpAdapter.setHeader(response, 'Retry-After', String(RETRY_AFTER_S));
    httpAdapter.reply(response, problem, problem.status);
  }
}

const RETRY_AFTER_S = 1;

function isPassing({ status, code }: { status: number; code: string }): boolean {
  return status === 503 || status === 429 || code === 'request_in_progress';
}
