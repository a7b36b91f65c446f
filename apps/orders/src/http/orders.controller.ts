import { Body, Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { contentDigest } from '@pawl/core';
import { ItemAdded, OrderAccepted, OrderSubmitted } from '@pawl/contracts';
import { type Answered, IdempotentRequests, Identity, Outbox, type RequestIdentity } from '@pawl/messaging';
import { WorkflowClient } from '@pawl/workflow';
import { OrderWorkflow, shipping } from '../order.workflow.js';
import { IdempotentPost } from './idempotent-post.js';
import { OrderIdPipe } from './order-id.pipe.js';
import { AcceptOrder, AddItem, SubmitOrder } from './order-requests.js';
import { type OrderView, orderView } from './order-view.js';
import { answerOf } from './verdict-answer.js';

/**
 * The HTTP entrance of orders. Each POST delivers one event and is answered with its verdict: claiming the key, deciding the event
 * and storing the answer are one transaction, so a request may be repeated under its key until it is answered.
 */
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly requests: IdempotentRequests,
    private readonly workflows: WorkflowClient,
    private readonly outbox: Outbox,
  ) {}

  @IdempotentPost()
  async submit(@Identity('orders') request: RequestIdentity, @Body() body: SubmitOrder): Promise<Answered> {
    const orderId = body.orderId ?? orderIdFor(request);
    // New orders are what can be refused while shipping does not keep up; those under way go on.
    const admit = (): void => this.outbox.assertRoom(shipping);
    return this.deliver(request, orderId, new OrderSubmitted(orderId, body.customer), admit);
  }

  @IdempotentPost(':id/items')
  async addItem(
    @Param('id', OrderIdPipe) orderId: string,
    @Identity('orders') request: RequestIdentity,
    @Body() { index, product, quantity, unitPriceCents, discountPercent }: AddItem,
  ): Promise<Answered> {
    const line = { product, quantity, unitPriceCents, discountPercent: discountPercent ?? 0 };
    return this.deliver(request, orderId, new ItemAdded(orderId, index, line));
  }

  @IdempotentPost(':id/accept')
  async accept(
    @Param('id', OrderIdPipe) orderId: string,
    @Identity('orders') request: RequestIdentity,
    @Body() { itemCount }: AcceptOrder,
  ): Promise<Answered> {
    return this.deliver(request, orderId, new OrderAccepted(orderId, itemCount));
  }

  @Get(':id')
  async find(@Param('id', OrderIdPipe) orderId: string): Promise<OrderView> {
    const run = await this.workflows.runOf(OrderWorkflow, orderId);
    if (run === undefined) throw new NotFoundException(`There is no order ${orderId}.`);
    return orderView(run);
  }

  private async deliver(
    request: RequestIdentity,
    orderId: string,
    event: object,
    admit = (): void => undefined,
  ): Promise<Answered> {
    return this.requests.answer(request, async (tx) => {
      admit();
      const options = { tx, id: request.key, source: 'http' };
      return answerOf(await this.workflows.deliver(OrderWorkflow, orderId, event, options));
    });
  }
}

/** The same id for the same key, so that a repeated request names the same order even when its stored answer has expired. */
function orderIdFor({ scope, key }: RequestIdentity): string {
  return `order-${contentDigest([scope, key]).slice(0, 22)}`;
}
