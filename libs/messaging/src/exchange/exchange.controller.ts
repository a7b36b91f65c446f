import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type CanActivate,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Put,
  Req,
  Res,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { RateLimit, type Rate } from '../http/rate-limit.js';
import { RawBodies } from '../http/raw-bodies.js';
import { ProblemFilter } from '../request/problem-filter.js';
import { Exchange, type ExchangeView } from './exchange.js';
import { ExchangeBodyInvalidError, ExchangeIdInvalidError } from './exchange-errors.js';
import type { ExchangeKey } from './exchange-store.js';
import { timeOfRequestId } from './request-id.js';

export interface ExchangeRoute {
  readonly path: string;
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  readonly caller: (request: IncomingMessage) => string;
  readonly rate: Rate;
}

const ID = ':id';

/** The controller of the four verbs under a path. */
export function exchangeController({ path, guards, caller, rate }: ExchangeRoute): Type<unknown> {
  const limit = new RateLimit(rate);

  @Controller(path)
  @UseGuards(...guards)
  @UseFilters(ProblemFilter)
  class ExchangeController {
    constructor(
      @Inject(Exchange) private readonly exchange: Exchange,
      @Inject(RawBodies) private readonly bodies: RawBodies,
    ) {}

    @Put(ID)
    @Header('Cache-Control', 'no-store')
    async put(
      @Param('id') id: string,
      @Req() request: IncomingMessage,
      @Res({ passthrough: true }) response: ServerResponse,
    ): Promise<ExchangeView> {
      const key = keyOf(id, request);
      const { type, body } = requestIn(this.bodies.json(request));
      const { view, created } = await this.exchange.put(key, type, body);
      response.statusCode = created ? 201 : 200;
      return view;
    }

    @Post(ID)
    @HttpCode(200)
    @Header('Cache-Control', 'no-store')
    async post(
      @Param('id') id: string,
      @Req() request: IncomingMessage,
      @Res({ passthrough: true }) response: ServerResponse,
    ): Promise<ExchangeView> {
      const { view, replayed } = await this.exchange.post(keyOf(id, request));
      if (replayed) response.setHeader('Idempotency-Replayed', 'true');
      return view;
    }

    @Get(ID)
    @Header('Cache-Control', 'no-store')
    async get(@Param('id') id: string, @Req() request: IncomingMessage): Promise<ExchangeView> {
      return this.exchange.get(keyOf(id, request));
    }

    @Delete(ID)
    @HttpCode(204)
    async forget(@Param('id') id: string, @Req() request: IncomingMessage): Promise<void> {
      return this.exchange.forget(keyOf(id, request));
    }
  }

  function keyOf(id: string, request: IncomingMessage): ExchangeKey {
    limit.take();
    const atMs = timeOfRequestId(id);
    if (atMs === undefined) throw new ExchangeIdInvalidError();
    return { id, atMs, caller: caller(request) };
  }

  return ExchangeController;
}

function requestIn(input: unknown): { readonly type: string; readonly body: unknown } {
  const { type, body, ...others } = (input ?? {}) as { type?: unknown; body?: unknown };
  if (typeof type !== 'string' || body === undefined || Object.keys(others).length > 0)
    throw new ExchangeBodyInvalidError(['send { "type": "...", "body": ... } and nothing else']);
  return { type, body };
}
