import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '@pawl/core';
import { parse } from 'csv-parse/sync';
import type { DemoLine, DemoOrder } from './demo-order.js';
import { scaled } from './demo-order.js';

type Row = Readonly<Record<string, string | null>>;

/**
 * Reads real orders from `orders.csv` and `order-details.csv` of a directory, in the form of the Northwind database:
 * a header line, `NULL` for nothing, prices and discounts as decimals (0.15 is 15 %).
 *
 * @throws PawlError `data_unreadable`, with the file, the order and what to change.
 */
export async function ordersFromNorthwind(
  directory: string,
  ordersMax = Infinity,
): Promise<readonly DemoOrder[]> {
  const orders = await readRows(join(directory, 'orders.csv'));
  const details = groupByOrder(await readRows(join(directory, 'order-details.csv')));
  const chosen = orders.slice(0, Math.min(orders.length, ordersMax));
  return chosen.map((row) => toOrder(row, details.get(row['orderID'] ?? '') ?? [], directory));
}

async function readRows(file: string): Promise<readonly Row[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const remedy = 'Name the directory that holds orders.csv and order-details.csv with --data.';
    throw new PawlError('data_unreadable', `${file} can not be read. ${remedy}`, { file }, cause);
  }
  // Some addresses hold a comma without quotes. They stand behind the columns that are used here.
  const relaxed = { relax_column_count: true, relax_quotes: true, skip_empty_lines: true, bom: true };
  return parse(text, { columns: true, cast: (value) => (value === 'NULL' ? null : value), ...relaxed });
}

function groupByOrder(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row['orderID'] ?? '');
    if (group) group.push(row);
    else groups.set(row['orderID'] ?? '', [row]);
  }
  return groups;
}

function toOrder(row: Row, details: readonly Row[], directory: string): DemoOrder {
  const id = row['orderID'] ?? '';
  try {
    if (!/^[\w-]{1,64}$/.test(id)) throw new RangeError(`orderID "${id}" is missing or not a plain name`);
    if (details.length === 0) throw new RangeError('it has no lines in order-details.csv');
    return { id, customer: row['customerID'] ?? 'UNKNOWN', lines: details.map(toLine) };
  } catch (cause) {
    const reason = cause instanceof RangeError ? cause.message : String(cause);
    const message = `Order ${id} of ${directory} can not be used: ${reason}. Correct it or leave it out.`;
    throw new PawlError('data_unreadable', message, { directory, id }, cause);
  }
}

function toLine(row: Row, index: number): DemoLine {
  return {
    index,
    product: `product-${row['productID'] ?? ''}`,
    quantity: scaled(row['quantity'] ?? '', 0),
    unitPriceCents: scaled(row['unitPrice'] ?? '', 2),
    discountPercent: scaled(row['discount'] ?? '', 2),
  };
}
