import { createHash } from 'node:crypto';
import { PawlError } from '@pawl/core';

export interface RouteOptions {
  /** Name of the receiving service. */
  readonly to: string;
  /** How many numbered partitions the route has; each has a send window of its own. Default 8. */
  readonly partitions?: number;
}

/**
 * The way from this service to another one. Messages of one ordering key use one partition. Order is not promised (`none`):
 * the receiver handles whatever is in the window.
 */
export interface Route {
  readonly to: string;
  readonly partitions: number;
  readonly order: 'none';
  /** The partition of an ordering key; the same in every process and release. */
  readonly partitionOf: (key: string) => number;
}

export const PARTITIONS_MAX = 256;
const PARTITIONS = 8;
const SERVICE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Declares a route.
 * @throws PawlError `route_invalid`
 */
export function route({ to, partitions = PARTITIONS }: RouteOptions): Route {
  if (!isServiceName(to))
    throw invalid(`'${to}' is not a service name (lower case letters, digits, hyphens)`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
    throw invalid(`${partitions} partitions are not 1 to ${PARTITIONS_MAX}`);
  }
  return { to, partitions, order: 'none', partitionOf: (key) => stableHash(key) % partitions };
}

export function isServiceName(name: unknown): boolean {
  return typeof name === 'string' && SERVICE_NAME.test(name);
}

/** Name of the stream from one service to another, `orders.shipping`. */
export function streamName({ from, to }: { from: string; to: string }): string {
  return `${from}.${to}`;
}

/** The two ends of a stream, or nothing if it is not the name of one. */
export function streamEnds(stream: string): { from: string; to: string } | undefined {
  const [from = '', to = '', ...rest] = stream.split('.');
  return isServiceName(from) && isServiceName(to) && rest.length === 0 ? { from, to } : undefined;
}

function stableHash(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0);
}

function invalid(why: string): PawlError {
  return new PawlError('route_invalid', `route(): ${why}.`);
}
