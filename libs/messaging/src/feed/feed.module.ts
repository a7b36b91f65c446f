import { Module } from '@nestjs/common';
import { RefusedToBootError } from '@pawl/core';
import { MessagingRuntime } from '../messaging-runtime.js';
import { FeedController } from './feed.controller.js';
import { OutboxFeed } from './outbox-feed.js';

/**
 * Serves this service's messages over HTTP to the services they are for: `GET /feed/:stream` and what belongs to it. Import it in an
 * application that listens; without it the routes do not exist. Needs `MessagingModule` with `feed: { tokens }`.
 */
@Module({
  controllers: [FeedController],
  providers: [{ provide: OutboxFeed, inject: [MessagingRuntime], useFactory: feedOf }],
})
export class FeedModule {}

/** @throws RefusedToBootError `feed_unconfigured` */
function feedOf({ feed }: MessagingRuntime): OutboxFeed {
  if (feed !== undefined) return feed;
  throw new RefusedToBootError('feed_unconfigured', 'FeedModule can not start:', [
    "nobody may read: MessagingModule.forRoot({ ..., feed: { tokens: { 'their-service': token } } })",
  ]);
}
