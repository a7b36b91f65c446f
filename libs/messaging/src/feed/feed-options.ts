import { isServiceName } from '../route.js';
import { TOKEN_LENGTH_MIN } from '../request/bearer-token.js';

/** What a service offers to those who read its messages over HTTP. Needs `FeedModule` in a process that listens. */
export interface FeedOptions {
  /**
   * Per reading service the token that it sends, at least 32 characters; two of them while one is replaced by another. A token opens the
   * stream to its own service and no other.
   */
  readonly tokens: Readonly<Record<string, string | readonly string[]>>;
  /** Polls of one reader that wait at a time; more are answered 503. Default 256: one per partition. */
  readonly pollsMax?: number;
}

/** Where the feed of another service is. */
export interface FeedSource {
  /** Name of the sending service. */
  readonly from: string;
  /** Where its HTTP is, `https://orders.internal`; a path is kept: `https://internal/orders`. */
  readonly url: string;
  /** What that service has for this one in `feed.tokens`. */
  readonly token: string;
  /** How many partitions its route has; more are found as they are used. Default 8, as with `route()`. */
  readonly partitions?: number;
  /** Whether messages are pulled. Default true; false if they all come over the bus, and only large payloads and gaps are fetched. */
  readonly pull?: boolean;
}

export const POLLS_MAX = 256;

/** What is wrong with `feed`. */
export function feedProblems({ tokens, pollsMax = POLLS_MAX }: FeedOptions): string[] {
  const problems = Object.entries(tokens).flatMap(([reader, token]) => {
    const weak = [token].flat().some((each) => each.length < TOKEN_LENGTH_MIN);
    return [
      ...(isServiceName(reader) ? [] : [`feed.tokens: '${reader}' is not the name of a service`]),
      ...(weak
        ? [`feed.tokens.${reader} has fewer than ${TOKEN_LENGTH_MIN} characters: openssl rand -hex 32`]
        : []),
    ];
  });
  if (!Number.isInteger(pollsMax) || pollsMax < 1)
    problems.push(`feed.pollsMax is ${pollsMax}, not a whole number from 1 on`);
  return problems;
}

/** What is wrong with `feeds`, or with one more of them. */
export function sourceProblems(sources: readonly FeedSource[]): string[] {
  return sources.flatMap(({ from, url, token, partitions = 1 }) => {
    const where = `the feed of '${from}'`;
    return [
      ...(isServiceName(from) ? [] : [`${where} is not that of a service`]),
      ...(isHttp(url) ? [] : [`${where}: url is not an http:// or https:// address`]),
      ...(token.length > 0 ? [] : [`${where} lacks its token`]),
      ...(isPartitionCount(partitions) ? [] : [`${where}: partitions is ${partitions}, not 1 to 256`]),
      ...(sources.filter((each) => each.from === from).length > 1 ? [`${where} is there twice`] : []),
    ];
  });
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function isPartitionCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= 256;
}
