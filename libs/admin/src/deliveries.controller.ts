import { Controller, Get, Header, UseFilters, UseGuards } from '@nestjs/common';
import { MessagingRuntime, ProblemFilter, type ReceiverCounts } from '@pawl/messaging';
import { AdminTokenGuard } from './admin-token.guard.js';

/** What the bus has brought to this process since it started, by kind; among it what was refused, by reason. */
@Controller('admin/v1/deliveries')
@UseGuards(AdminTokenGuard)
@UseFilters(ProblemFilter)
export class DeliveriesController {
  constructor(private readonly messaging: MessagingRuntime) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  counts(): ReceiverCounts {
    return this.messaging.receiver.counts;
  }
}
