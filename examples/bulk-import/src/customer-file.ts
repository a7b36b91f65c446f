/** A row of the file, as somebody has typed it. */
export interface CustomerRow {
  readonly line: number;
  readonly email: string;
  readonly points: string;
}

/** The tables of this example: the uploaded rows, and the customers that they are imported into. */
export const SCHEMA = `
  create table import_row (
    file text not null,
    line integer not null,
    email text not null,
    points text not null,
    imported boolean not null default false,
    primary key (file, line)
  );
  create table customer (email text primary key, points integer not null, rows integer not null)`;

/** The same file for the same seed: about one row in 50 is invalid, and some customers are there twice, so that a row counted twice shows. */
export function customerFile(seed: number, rows: number): CustomerRow[] {
  const random = randomOf(seed);
  return Array.from({ length: rows }, (_, line) => {
    const email = `customer-${Math.floor(random() * rows * 2)}@mail.example`;
    const points = String(Math.floor(random() * 1_000));
    const flaw = random();
    if (flaw < 0.01) return { line, email: email.replace('@', ' at '), points };
    if (flaw < 0.018) return { line, email, points: 'many' };
    return { line, email, points };
  });
}

/** Why a row can not be imported; undefined if it can. */
export function flawOf({ email, points }: CustomerRow): string | undefined {
  if (!/^\S+@\S+$/.test(email)) return `"${email}" is no e-mail address`;
  return /^\d+$/.test(points) ? undefined : `"${points}" is no number of points`;
}

/** Mulberry32: small, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
