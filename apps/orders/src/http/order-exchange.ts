import { Injectable } from '@nestjs/common';
import { OrderSubmitted, type OrderTaken, submitOrder } from '@pawl/contracts';
import { type RequestContext, RequestHandler } from '@pawl/messaging';
import { WorkflowClient } from '@pawl/workflow';
import { OrderWorkflow } from '../order.workflow.js';
import { answerOf } from './verdict-answer.js';

/** Orders that are opened by `/requests/:id`: for callers that never want one twice, and an end to what has to be remembered. */
@Injectable()
export class OrderExchange {
  constructor(private readonly workflows: WorkflowClient) {}

  @RequestHandler(submitOrder)
  async submit(
    { orderId, customer }: { orderId: string; customer: string },
    { id, tx }: RequestContext,
  ): Promise<OrderTaken> {
    const event = new OrderSubmitted(orderId, customer);
    const receipt = await this.workflows.deliver(OrderWorkflow, orderId, event, {
      tx,
      id,
      source: 'exchange',
    });
    // Throws if too much waits: then nothing is answered, and the request may be POSTed again.
    answerOf(receipt);
    const { verdict, rule, state } = receipt;
    return { orderId, verdict, rule, state };
  }
}
