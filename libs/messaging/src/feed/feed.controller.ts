import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { MessagingRuntime } from '../messaging-runtime.js';
import { ProblemFilter } from '../request/problem-filter.js';
import { streamEnds } from '../route.js';
import { feedQuery } from './feed-query.js';
import { FeedTokenGuard } from './feed-token.guard.js';
import { type FeedPage, OutboxFeed } from './outbox-feed.js';

/** Deliveries of one acknowledgement request. */
const DELIVERIES_MAX = 1_000;

/** The feed of this service's messages, for the services they are for. docs/feed.md describes it. */
@Controller('feed')
@UseGuards(FeedTokenGuard)
@UseFilters(ProblemFilter)
export class FeedController {
  constructor(
    private readonly feed: OutboxFeed,
    private readonly runtime: MessagingRuntime,
  ) {}

  @Get(':stream')
  @Header('Cache-Control', 'no-store')
  async page(
    @Param('stream') stream: string,
    @Query() query: Record<string, unknown>,
    @Res({ passthrough: true }) response: HttpResponse,
  ): Promise<FeedPage> {
    const { waitMs, ...question } = feedQuery(query);
    const gone = new AbortController();
    const socketResponse = response.raw ?? response;
    socketResponse.once('close', () => gone.abort());
    const destination = readerOf(stream);
    return this.feed.read({ destination, ...question }, { waitMs, signal: gone.signal });
  }

  @Post(':stream/acknowledgements')
  @HttpCode(204)
  async acknowledge(@Param('stream') stream: string, @Body() body: unknown): Promise<void> {
    const { deliveries } = (body ?? {}) as { deliveries?: unknown };
    if (!Array.isArray(deliveries) || deliveries.length > DELIVERIES_MAX) {
      throw new BadRequestException({
        code: 'acknowledgements_invalid',
        detail: `Send {"deliveries": [...]} as JSON, ${DELIVERIES_MAX} at most.`,
      });
    }
    await this.runtime.takeFromReader(stream, deliveries);
  }

  @Get(':stream/payloads/:id')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'application/json; charset=utf-8')
  async payload(@Param('stream') stream: string, @Param('id', ParseUUIDPipe) id: string): Promise<string> {
    const payload = await this.feed.payload(readerOf(stream), id);
    if (payload !== undefined) return payload;
    throw new NotFoundException({
      code: 'unknown_payload',
      detail: 'No message of that id waits here with its payload.',
    });
  }
}

/** Express answers with node's own response, Fastify with one that holds it. */
type HttpResponse = ServerResponse<IncomingMessage> & { readonly raw?: ServerResponse<IncomingMessage> };

/** The guard has seen to it that it is a stream of this service. */
function readerOf(stream: string): string {
  return streamEnds(stream)?.to ?? '';
}
