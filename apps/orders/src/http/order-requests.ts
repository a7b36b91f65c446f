import { CUSTOMER_LENGTH_MAX, ITEMS_MAX, LINE_LIMITS, ORDER_ID, PRINTABLE_TEXT } from '@pawl/contracts';
import { IsInt, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';

/** Body of `POST /orders`. */
export class SubmitOrder {
  /** Without it the order's id follows from the idempotency key. */
  @IsOptional()
  @Matches(ORDER_ID)
  orderId?: string | null;

  @Matches(PRINTABLE_TEXT)
  @MaxLength(CUSTOMER_LENGTH_MAX)
  customer!: string;
}

/** Body of `POST /orders/:id/items`. */
export class AddItem {
  /** Names the item within the order, from 0 on without gaps: the same index is the same item. */
  @IsInt()
  @Min(0)
  @Max(ITEMS_MAX - 1)
  index!: number;

  @Matches(PRINTABLE_TEXT)
  @MaxLength(LINE_LIMITS.productLengthMax)
  product!: string;

  @IsInt()
  @Min(1)
  @Max(LINE_LIMITS.quantityMax)
  quantity!: number;

  @IsInt()
  @Min(0)
  @Max(LINE_LIMITS.unitPriceCentsMax)
  unitPriceCents!: number;

  /** Whole percent. Default 0. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  discountPercent?: number | null;
}

/** Body of `POST /orders/:id/accept`. */
export class AcceptOrder {
  /** How many items the order has: it is accepted once all of them are there. */
  @IsInt()
  @Min(1)
  @Max(ITEMS_MAX)
  itemCount!: number;
}
