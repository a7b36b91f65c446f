import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  Post,
  UseInterceptors,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Answered, PROBLEM_TYPE } from '@pawl/messaging';
import { map, type Observable } from 'rxjs';

/** A POST whose method answers what {@link IdempotentRequests} answered. */
export function IdempotentPost(path?: string): MethodDecorator {
  return applyDecorators(Post(path), UseInterceptors(AnswerInterceptor));
}

/** Turns a stored or fresh answer into status, headers and body; a replay says so in `Idempotency-Replayed`. */
@Injectable()
class AnswerInterceptor implements NestInterceptor<Answered, Answered['answer']['body']> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  intercept(context: ExecutionContext, next: CallHandler<Answered>): Observable<Answered['answer']['body']> {
    const { httpAdapter } = this.adapterHost;
    const response: unknown = context.switchToHttp().getResponse();
    return next.handle().pipe(
      map(({ answer, replayed }) => {
        httpAdapter.status(response, answer.status);
        if (answer.status >= 400) httpAdapter.setHeader(response, 'Content-Type', PROBLEM_TYPE);
        if (replayed) httpAdapter.setHeader(response, 'Idempotency-Replayed', 'true');
        return answer.body;
      }),
    );
  }
}
