-- What the shipping service can say of itself: which orders have left.

create table shipping.shipment (
  -- Not the order's own key on purpose: were an order ever shipped twice, it would show as two rows.
  id bigint generated always as identity primary key,
  order_id text not null,
  tracking_number text not null,
  shipped_at timestamptz not null default clock_timestamp()
);
comment on table shipping.shipment is 'Orders that were handed to the carrier: one row per order.';
create index shipment_order on shipping.shipment (order_id);
