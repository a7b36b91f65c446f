import { type Duty, PawlError, statement, type Transactions } from '@pawl/core';
import type { Route } from '../route.js';

const EVERY_MS = 1_000;

/**
 * Knows about how many messages wait for each destination, so that the edge of a service can refuse work whose messages would only
 * pile up. Looks once a second, no further than the limit and only for destinations that were asked about: to ask costs nothing, and
 * what is appended between two looks may exceed the limit.
 */
export class Backlogs implements Duty {
  readonly name = 'outbox backlogs';
  readonly everyMs = EVERY_MS;
  private readonly known = new Map<string, { limit: number; messages: number }>();

  constructor(private readonly transactions: Transactions) {}

  /** @throws RouteCongestedError */
  assertRoom({ to, backlogMax }: Pick<Route, 'to' | 'backlogMax'>): void {
    const known = this.known.get(to) ?? { limit: 0, messages: 0 };
    this.known.set(to, known);
    known.limit = Math.max(known.limit, backlogMax);
    if (known.messages >= backlogMax) throw new RouteCongestedError(to, backlogMax);
  }

  async pass(): Promise<number> {
    if (this.known.size === 0) return 0;
    const [destinations, limits] = [
      [...this.known.keys()],
      [...this.known.values()].map(({ limit }) => limit),
    ];
    const rows = await this.transactions.run((tx) => tx.query<Backlog>(MEASURE, [destinations, limits]));
    for (const { destination, messages } of rows)
      Object.assign(this.known.get(destination) ?? {}, { messages });
    return 0;
  }
}

interface Backlog {
  readonly destination: string;
  readonly messages: number;
}

/** Messages to one service pile up: it is away, or slower than this one. Nothing was written; to try again later helps. */
export class RouteCongestedError extends PawlError {
  constructor(to: string, backlogMax: number) {
    super(
      'route_congested',
      `${backlogMax} messages or more wait for ${to}; nothing was changed, try again when it has caught up.`,
      { to, backlogMax },
    );
  }
}

/** What is numbered and not acknowledged is counted already, and bounded by the window; the rest is counted up to the limit. */
const MEASURE = statement(
  'outbox_backlog',
  `SELECT destination,
     (SELECT count(*)::integer FROM (
        SELECT FROM pawl.outbox o WHERE o.destination = asked.destination AND o.sequence IS NULL LIMIT most) unnumbered)
     + (SELECT coalesce(sum(s.unacknowledged), 0)::integer FROM pawl.outbox_stream s
        WHERE s.destination = asked.destination) AS messages
   FROM unnest($1::text[], $2::integer[]) AS asked (destination, most)`,
);
