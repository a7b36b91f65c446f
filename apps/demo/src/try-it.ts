/** A request for people to paste, and for a test to send. */
export interface TryIt {
  readonly title: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What the answer's status is meant to be. */
  readonly status: number;
}

export interface TryItOptions {
  readonly orders: string;
  readonly shipping: string;
  readonly adminToken: string;
}

/** What to try on the running pair, in this order: an order whose facts come in the wrong order, twice, and one that contradicts. */
export function thingsToTry({ orders, shipping, adminToken }: TryItOptions): readonly TryIt[] {
  const post = (title: string, path: string, key: string, body: object, status = 202): TryIt => {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    return { title, method: 'POST', url: `${orders}${path}`, headers, body, status };
  };
  const get = (title: string, url: string, headers: Readonly<Record<string, string>> = {}): TryIt => {
    return { title, method: 'GET', url, headers, status: 200 };
  };
  const admin = { Authorization: `Bearer ${adminToken}` };
  const item = { index: 0, product: 'Chai', quantity: 2, unitPriceCents: 1800, discountPercent: 10 };
  return [
    post('An item before its order: it waits (verdict early)', '/orders/A-1/items', 'try-item', item),
    post('The order: the item is applied with it', '/orders', 'try-order', {
      orderId: 'A-1',
      customer: 'Ada',
    }),
    post('The same request again: the same answer, nothing happens', '/orders/A-1/items', 'try-item', item),
    post('Accepted: stock, payment, parcels', '/orders/A-1/accept', 'try-accept', { itemCount: 1 }),
    get('What became of it: Shipped, after a moment', `${orders}/orders/A-1`),
    post(
      'Another content under index 0: 409',
      '/orders/A-1/items',
      'try-other',
      { ...item, quantity: 3 },
      409,
    ),
    post('The key of another request: 422', '/orders/A-1/accept', 'try-accept', { itemCount: 7 }, 422),
    get('For operators: the runs of the orders service', `${orders}/admin/v1/runs`, admin),
    get('The run of the same order in the shipping service', `${shipping}/admin/v1/runs?key=A-1`, admin),
  ];
}

/** A line of shell that finds the run of that order and shows everything that happened to it. */
export function timelineCurl({ orders, adminToken }: TryItOptions): string {
  const authorized = `-H 'Authorization: Bearer ${adminToken}'`;
  const find = `curl -s '${orders}/admin/v1/runs?key=A-1' ${authorized} | sed 's/.*"id":"\\([^"]*\\)".*/\\1/'`;
  return `curl -s ${orders}/admin/v1/runs/$(${find}) ${authorized}; echo`;
}

/** One line of shell. */
export function asCurl({ method, url, headers, body }: TryIt): string {
  const parts = [
    'curl -s',
    ...(method === 'POST' ? ['-X POST'] : []),
    url.includes('?') ? `'${url}'` : url,
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(body === undefined ? [] : [`-d '${JSON.stringify(body)}'`]),
  ];
  return `${parts.join(' ')}; echo`;
}
