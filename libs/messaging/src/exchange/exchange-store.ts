import { type Json, statement, type Transaction } from '@pawl/core';

/** What names a request that is exchanged. */
export interface ExchangeKey {
  /** A UUIDv7. */
  readonly id: string;
  /** The time that the id carries, milliseconds since 1970. */
  readonly atMs: number;
  /** Whose id it is. */
  readonly caller: string;
}

/** In which span around the database's clock the time of an id has to lie. Milliseconds. */
export interface Window {
  readonly windowMs: number;
  readonly aheadMs: number;
}

export interface ExchangeRow {
  readonly type: string;
  readonly digest: string;
  readonly body: Json;
  readonly answer: Json;
  readonly refusal: { readonly code: string; readonly detail: string } | null;
  readonly processed: boolean;
  readonly forgotten: boolean;
}

/** Says whether the time of an id is outside of the window, by the database's clock. */
export async function placeOf(
  tx: Transaction,
  { atMs }: ExchangeKey,
  { windowMs, aheadMs }: Window,
): Promise<'ahead' | 'behind' | undefined> {
  const [row] = await tx.query<{ outside: 'ahead' | 'behind' | null }>(PLACE, [atMs, windowMs, aheadMs]);
  return row?.outside ?? undefined;
}

/** Stores a request; false if its id is taken. */
export async function store(
  tx: Transaction,
  { id, caller }: ExchangeKey,
  { type, digest, body }: { type: string; digest: string; body: string },
): Promise<boolean> {
  return (await tx.query(STORE, [id, caller, type, digest, body])).length > 0;
}

export async function find(tx: Transaction, { id, caller }: ExchangeKey): Promise<ExchangeRow | undefined> {
  return (await tx.query<ExchangeRow>(FIND, [id, caller]))[0];
}

/** The same, and nobody else processes or forgets it until this transaction ends. */
export async function lock(tx: Transaction, { id, caller }: ExchangeKey): Promise<ExchangeRow | undefined> {
  return (await tx.query<ExchangeRow>(LOCK, [id, caller]))[0];
}

/** Keeps how a locked request ended: an answer or a refusal, as JSON. */
export async function finish(
  tx: Transaction,
  { id }: ExchangeKey,
  end: { readonly answer: string } | { readonly refusal: string },
): Promise<void> {
  await tx.query(FINISH, [id, 'answer' in end ? end.answer : null, 'refusal' in end ? end.refusal : null]);
}

/** Leaves of an id only that it is taken, whether or not there was anything under it; false if it is somebody else's. */
export async function forget(tx: Transaction, { id, caller }: ExchangeKey): Promise<boolean> {
  return (await tx.query(FORGET, [id, caller])).length > 0;
}

// The horizon counts as well: once ids of a time may have been pruned, no longer window brings them back.
const PLACE = statement(
  'exchange_place',
  `select case when $1::bigint > now_ms + $3::bigint then 'ahead'
               when $1::bigint <= greatest(now_ms - $2::bigint, before_ms) then 'behind' end as outside
   from pawl.exchange_horizon, (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms) clock`,
);

// Two twins at once: the second insert waits for the first transaction, and then finds the id taken.
const STORE = statement(
  'exchange_store',
  `insert into pawl.exchange (id, caller, type, digest, body) values ($1, $2, $3, $4, $5)
   on conflict (id) do nothing returning 1`,
);

const ROW = `select type, digest, body, answer, refusal, processed_at is not null as processed, forgotten_at is not null as forgotten
  from pawl.exchange where id = $1 and caller = $2`;

const FIND = statement('exchange_find', ROW);

// Who waits here sees the row as its predecessor has left it: answered or forgotten.
const LOCK = statement('exchange_lock', `${ROW} for update`);

const FINISH = statement(
  'exchange_finish',
  'update pawl.exchange set answer = $2, refusal = $3, processed_at = clock_timestamp() where id = $1',
);

// Also for an id that never was: a PUT that a network has delayed comes after this and must create nothing (D11).
const FORGET = statement(
  'exchange_forget',
  `insert into pawl.exchange as e (id, caller, type, digest, forgotten_at) values ($1, $2, '', '', clock_timestamp())
   on conflict (id) do update set body = null, answer = null, refusal = null,
     forgotten_at = coalesce(e.forgotten_at, excluded.forgotten_at)
   where e.caller = excluded.caller returning 1`,
);
