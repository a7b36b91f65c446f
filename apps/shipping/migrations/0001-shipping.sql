-- The shipping service's own tables.

create schema if not exists shipping;

create table shipping.parcel (
  -- Not the item's own key on purpose: were a parcel ever made twice, it would show as two rows.
  id bigint generated always as identity primary key,
  order_id text not null,
  item_index integer not null,
  product text not null,
  quantity integer not null check (quantity > 0),
  packed_at timestamptz not null default clock_timestamp()
);
comment on table shipping.parcel is 'What left the house: one row per item of an order.';
create index parcel_order on shipping.parcel (order_id);
