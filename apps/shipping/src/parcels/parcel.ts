import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** What left the house for one item of an order. */
@Entity({ schema: 'shipping', name: 'parcel' })
export class Parcel {
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
