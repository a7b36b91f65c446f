import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** That an order was handed to the carrier. */
@Entity({ schema: 'shipping', name: 'shipment' })
export class ShippedOrder {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ name: 'order_id', type: 'text' })
  orderId!: string;

  @Column({ name: 'tracking_number', type: 'text' })
  trackingNumber!: string;
}
