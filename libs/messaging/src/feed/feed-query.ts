import { BadRequestException } from '@nestjs/common';
import { isUuid } from '../envelope.js';
import { PARTITIONS_MAX } from '../route.js';
import { PAGE_MAX } from './outbox-feed.js';

/** The parameters of `GET /feed/:stream`. */
export interface FeedQuery {
  readonly partition: number;
  readonly after?: number;
  readonly incarnation?: string;
  readonly limit: number;
  readonly waitMs: number;
}

const LIMIT = 100;
const WAIT_S = 20;
/** Proxies cut off what is silent for a minute. Seconds. */
export const WAIT_S_MAX = 50;

/** Reads the parameters as they came. @throws BadRequestException `feed_query_invalid` with every problem */
export function feedQuery(given: Readonly<Record<string, unknown>>): FeedQuery {
  const problems: string[] = [];
  const whole = (name: string, { or, to }: { or?: number; to: number }): number | undefined => {
    const text = given[name];
    if (text === undefined && or !== undefined) return or;
    const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= to) return value;
    problems.push(`${name} is not a whole number up to ${to}`);
    return undefined;
  };
  const partition = whole('partition', { to: PARTITIONS_MAX - 1 }) ?? 0;
  const after = given['after'] === undefined ? undefined : whole('after', { to: Number.MAX_SAFE_INTEGER });
  const limit = whole('limit', { or: LIMIT, to: PAGE_MAX }) ?? LIMIT;
  const waitS = whole('wait', { or: WAIT_S, to: WAIT_S_MAX }) ?? WAIT_S;
  if (limit === 0) problems.push('limit is 0');
  const { incarnation } = given;
  if (incarnation !== undefined && !isUuid(incarnation)) problems.push('incarnation is not a UUID');
  const unknown = Object.keys(given).filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) problems.push(`unknown: ${unknown.join(', ').slice(0, 100)}`);
  if (problems.length > 0) throw new BadRequestException({ code: 'feed_query_invalid', message: problems });
  return {
    partition,
    limit,
    waitMs: waitS * 1_000,
    ...(after === undefined ? {} : { after }),
    ...(isUuid(incarnation) ? { incarnation } : {}),
  };
}

const NAMES = ['partition', 'after', 'incarnation', 'limit', 'wait'];
