import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { totalCents } from './demo-order.js';
import { ordersFromNorthwind } from './orders-from-northwind.js';

const ORDERS = `orderID,customerID,orderDate,shipName,shipAddress,shipRegion,shipCountry
10248,VINET,1996-07-04,Vins et alcools,59 rue de l'Abbaye,NULL,France
10250,HANAR,1996-07-08,Hanari Carnes,Rua do Paço, 67,RJ,Brazil
10251,NULL,1996-07-08,"Victuailles, ""en stock""","2, rue du Commerce",NULL,France
`;
const DETAILS = `orderID,productID,unitPrice,quantity,discount
10248,11,14.00,12,0
10250,51,42.4,35,0.15
10248,42,9.80,10,0
10250,65,16.80,15,0.1500
10251,22,0.05,1,0.1
`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-northwind-'));
  await write(ORDERS, DETAILS);
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('reads orders with their lines, numbered from 0 in the order of the file', async () => {
  const [first, second] = await ordersFromNorthwind(directory);
  expect(first).toMatchObject({ id: '10248', customer: 'VINET' });
  expect(first?.lines.map(({ index, product, quantity }) => [index, product, quantity])).toEqual([
    [0, 'product-11', 12],
    [1, 'product-42', 10],
  ]);
  expect(second?.lines[0]).toMatchObject({ unitPriceCents: 4240, discountPercent: 15 });
});

it('takes commas in quotes, commas without, and NULL', async () => {
  const orders = await ordersFromNorthwind(directory);
  expect(orders.map(({ id, customer }) => [id, customer])).toEqual([
    ['10248', 'VINET'],
    ['10250', 'HANAR'],
    ['10251', 'UNKNOWN'],
  ]);
});

it('adds up lines that are each rounded half up', async () => {
  const orders = await ordersFromNorthwind(directory);
  // 16800 + 9800; 126140 + 21420; 4.5 is rounded up
  expect(orders.map(totalCents)).toEqual([26_600, 147_560, 5]);
});

it('takes the first few when asked', async () => {
  expect(await ordersFromNorthwind(directory, 2)).toHaveLength(2);
  expect(await ordersFromNorthwind(directory, 99)).toHaveLength(3);
});

it.each([
  ['a price in words', '10248,11,cheap,12,0', /Order 10248 .*"cheap" is not a decimal/],
  [
    'a discount of half a percent',
    '10248,11,14.00,12,0.005',
    /"0.005" is not a decimal with at most 2 places/,
  ],
  ['half a piece', '10248,11,14.00,1.5,0', /"1.5" is not a decimal with at most 0 places/],
])('refuses %s and says where it stands', async (_, row, message) => {
  await write(ORDERS, DETAILS.replace('10248,11,14.00,12,0', row));
  await expect(ordersFromNorthwind(directory)).rejects.toMatchObject({ code: 'data_unreadable', message });
});

it('refuses an order without lines', async () => {
  await write(ORDERS, DETAILS.replace(/^10251.*\n/m, ''));
  await expect(ordersFromNorthwind(directory)).rejects.toThrow(/Order 10251 .* no lines .* leave it out/);
});

it('names the file that is missing, and the option', async () => {
  await expect(ordersFromNorthwind(join(directory, 'nowhere'))).rejects.toThrow(
    /orders.csv can not be read.*--data/,
  );
});

async function write(orders: string, details: string): Promise<void> {
  await writeFile(join(directory, 'orders.csv'), orders);
  await writeFile(join(directory, 'order-details.csv'), details);
}
