-- The orders service's own tables.

create schema if not exists orders;

create table orders.reservation (
  -- Not the item's own key on purpose: were a reservation ever made twice, it would show as two rows.
  id bigint generated always as identity primary key,
  order_id text not null,
  item_index integer not null,
  product text not null,
  quantity integer not null check (quantity > 0),
  reserved_at timestamptz not null default clock_timestamp()
);
comment on table orders.reservation is 'Stock set aside: one row per item of an order.';
create index reservation_order on orders.reservation (order_id);
