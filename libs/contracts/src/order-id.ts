/** What an order's id may look like: it is the key of the runs in both services and a segment of a path. 1 to 64 characters. */
export const ORDER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The id as a member of a payload. */
export const orderId = { type: 'string', pattern: ORDER_ID.source } as const;
