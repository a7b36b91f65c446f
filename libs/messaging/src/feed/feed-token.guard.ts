import { type CanActivate, type ExecutionContext, Injectable, NotFoundException } from '@nestjs/common';
import { BearerToken, refuseBearer } from '../request/bearer-token.js';
import { streamEnds } from '../route.js';
import { OutboxFeed } from './outbox-feed.js';

/**
 * Lets a service in to the stream that is for it. Who sends no token of any reader is answered 401; to a reader every stream but its own is one
 * that does not exist.
 */
@Injectable()
export class FeedTokenGuard implements CanActivate {
  private readonly service: string;
  private readonly tokens: ReadonlyMap<string, readonly BearerToken[]>;

  constructor(feed: OutboxFeed) {
    const { service, tokens } = feed.options;
    this.service = service;
    this.tokens = new Map(
      Object.entries(tokens).map(([reader, own]) => [
        reader,
        [own].flat().map((each) => new BearerToken(each)),
      ]),
    );
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { headers, params } = http.getRequest<FeedRequest>();
    const isKnown = (token: BearerToken): boolean => token.isIn(headers.authorization);
    const readers = [...this.tokens].filter(([, own]) => own.some(isKnown)).map(([reader]) => reader);
    if (readers.length === 0) return refuseBearer(http.getResponse());
    const ends = streamEnds(params.stream ?? '');
    if (ends?.from === this.service && readers.includes(ends.to)) return true;
    throw new NotFoundException({
      code: 'unknown_stream',
      detail: 'There is no such stream for this reader.',
    });
  }
}

interface FeedRequest {
  readonly headers: { readonly authorization?: string };
  readonly params: { readonly stream?: string };
}
