import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, HttpCode, Inject, Param, Post, Req, Res, type Type, UseFilters } from '@nestjs/common';
import { type Json, PawlError } from '@pawl/core';
import { RawBodies } from '../http/raw-bodies.js';
import { payloadProblems } from '../payload.js';
import { ProblemFilter } from '../request/problem-filter.js';
import { Webhooks } from './webhooks.js';
import { WebhookSources } from './webhook-sources.js';

/** The controller that takes webhooks in, `POST /<path>/<source>`. */
export function webhookController(path: string): Type<unknown> {
  @Controller(path)
  @UseFilters(ProblemFilter)
  class WebhookController {
    constructor(
      @Inject(WebhookSources) private readonly sources: WebhookSources,
      @Inject(Webhooks) private readonly webhooks: Webhooks,
      @Inject(RawBodies) private readonly bodies: RawBodies,
    ) {}

    /** In this order: is it too much, is it genuine, can it be read, is it new. */
    @Post(':source')
    @HttpCode(204)
    async receive(
      @Param('source') source: string,
      @Req() request: IncomingMessage,
      @Res({ passthrough: true }) response: ServerResponse,
    ): Promise<void> {
      const { limit, verifier, retentionMs, handle } = this.sources.of(source);
      limit.take();
      const { headers } = request;
      const id = await verifier.verify({ headers, bytes: this.bodies.of(request) });
      const payload = this.payloadOf(request);
      const accepted = await this.webhooks.accept({ source, id, payload, retentionMs }, handle);
      if (accepted === 'duplicate') response.setHeader('Idempotency-Replayed', 'true');
    }

    private payloadOf(request: IncomingMessage): Json {
      const payload = this.bodies.json(request);
      const problems = payloadProblems(payload);
      if (problems.length > 0) throw new WebhookPayloadInvalidError(problems);
      return payload as Json;
    }
  }

  return WebhookController;
}

/** HTTP: 400. */
export class WebhookPayloadInvalidError extends PawlError {
  constructor(errors: readonly string[]) {
    super('webhook_payload_invalid', 'The payload can not be handled.', { errors });
  }
}
