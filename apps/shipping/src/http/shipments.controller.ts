import { BadRequestException, Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { ORDER_ID } from '@pawl/contracts';
import { WorkflowClient } from '@pawl/workflow';
import { type Shipment, ShipmentWorkflow, trackingNumberOf } from '../shipment.workflow.js';

/** What `GET /shipments/:orderId` shows. */
export interface ShipmentView {
  readonly orderId: string;
  /** `awaited`: something about the order came before its announcement. */
  readonly status: string;
  readonly state: string | null;
  /** Why a person should look at the shipment, if one should. */
  readonly attention: string | null;
  readonly customer: string | null;
  /** In the order of their index. */
  readonly items: readonly { readonly index: number; readonly product: string; readonly quantity: number }[];
  readonly trackingNumber: string | null;
}

@Controller('shipments')
export class ShipmentsController {
  constructor(private readonly workflows: WorkflowClient) {}

  @Get(':orderId')
  async find(@Param('orderId') orderId: string): Promise<ShipmentView> {
    if (!ORDER_ID.test(orderId)) throw new BadRequestException(NO_ORDER_ID);
    const run = await this.workflows.runOf(ShipmentWorkflow, orderId);
    if (run === undefined) throw new NotFoundException(`There is no shipment of order ${orderId}.`);
    const { id, status, state, attention } = run;
    // The run of an awaited shipment has no data yet.
    const { customer = null, lines = {} } = run.data as Partial<Shipment>;
    const items = Object.entries(lines).map(([index, line]) => ({ index: Number(index), ...line }));
    const trackingNumber = state === 'Shipped' ? trackingNumberOf(id) : null;
    return { orderId, status, state, attention, customer, items, trackingNumber };
  }
}

const NO_ORDER_ID =
  'An order id is 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit.';
