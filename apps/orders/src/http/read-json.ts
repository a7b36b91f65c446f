import { BadRequestException, UnsupportedMediaTypeException } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { payloadProblems } from '@pawl/messaging';

/** Largest body of a request. */
const BODY_MAX = '256kb';

/** Reads bodies as JSON and refuses what no handler could work with: other types, deep nesting, text that PostgreSQL can not store. */
export function readJson(app: NestExpressApplication): void {
  app.useBodyParser('json', { limit: BODY_MAX });
  app.use((request: RequestWithBody, _response: unknown, next: () => void) => {
    refuseOtherTypes(request);
    const problems = request.body === undefined ? [] : payloadProblems(request.body);
    if (problems.length > 0) throw new BadRequestException(problems.map((problem) => `The body ${problem}`));
    next();
  });
}

interface RequestWithBody {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

function refuseOtherTypes({ headers, body }: RequestWithBody): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && body === undefined)
    throw new UnsupportedMediaTypeException('Send the body as application/json.');
}
