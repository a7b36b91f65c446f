import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Stock that is set aside for one item of an order. */
@Entity({ schema: 'orders', name: 'reservation' })
export class Reservation {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ name: 'order_id', type: 'text' })
  orderId!: string;

  @Column({ name: 'item_index', type: 'integer' })
  itemIndex!: number;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'integer' })
  quantity!: number;
}
