import pg from 'pg';
import { lineKey } from './demo-order.js';
import type { Found } from './reconcile.js';

interface LineRow {
  readonly order_id: string;
  readonly item_index: number;
  readonly quantity: number;
}

/** Every row of `orders.reservation`, as it stands in the database of the orders service. */
export async function countReservations(database: string): Promise<readonly Found[]> {
  const sql = 'select order_id, item_index, quantity from orders.reservation';
  return (await rowsOf<LineRow>(database, sql)).map(foundLine);
}

/** Every row of `shipping.parcel`, as it stands in the database of the shipping service. */
export async function countParcels(database: string): Promise<readonly Found[]> {
  const sql = 'select order_id, item_index, quantity from shipping.parcel';
  return (await rowsOf<LineRow>(database, sql)).map(foundLine);
}

/** Every row of `shipping.shipment`, as it stands in the database of the shipping service. */
export async function countShipments(database: string): Promise<readonly Found[]> {
  const rows = await rowsOf<{ readonly order_id: string }>(
    database,
    'select order_id from shipping.shipment',
  );
  return rows.map(({ order_id: key }) => ({ key, amount: 1 }));
}

function foundLine({ order_id, item_index, quantity }: LineRow): Found {
  return { key: lineKey(order_id, item_index), amount: quantity };
}

async function rowsOf<Row extends object>(database: string, sql: string): Promise<readonly Row[]> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
