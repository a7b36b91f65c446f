import { RefusedToBootError } from '@pawl/core';
import type { ExchangeClientOptions } from '@pawl/messaging';
import type { HintChannel } from '../dispatch/hints.js';

export interface WorkflowOptions {
  /** Name of this service; processes of one name share their runs' hints. */
  readonly service: string;
  /** Where BullMQ carries hints: `redis://`, `rediss://` or `postgres://`. Either this or `hintChannel`. */
  readonly queueUrl?: string;
  /** Another way for hints, for tests. Closed by the engine. */
  readonly hintChannel?: HintChannel;
  /** Keeps apart what shares one queue server. Default `pawl`. */
  readonly prefix?: string;
  /** Whether this process runs steps and duties. Default true; false for one that only starts runs and delivers events. */
  readonly work?: boolean;
  /** Runs that are active at a time. Default 16. */
  readonly concurrency?: number;
  /** How long a worker that has died keeps its runs. Renewed three times in it. Milliseconds, default 30,000. */
  readonly leaseMs?: number;
  /** How often to look for runs whose hint or worker was lost. Milliseconds, default 1,000. */
  readonly rescueEveryMs?: number;
  /** How long a shutdown waits for steps under way. Milliseconds, default 10,000. */
  readonly drainMs?: number;
  /** Claims without progress after which a run is quarantined. Default 10. */
  readonly claimsMax?: number;
  /** Runs of a workflow that may wait for their start event. Default 10,000. */
  readonly awaitedMax?: number;
  /** How steps' `request` calls other services: time, tries, headers. */
  readonly exchange?: ExchangeClientOptions;
}

export type ResolvedOptions = Required<Omit<WorkflowOptions, 'queueUrl' | 'hintChannel' | 'exchange'>> &
  WorkflowOptions;

const DEFAULTS = {
  prefix: 'pawl',
  work: true,
  concurrency: 16,
  leaseMs: 30_000,
  rescueEveryMs: 1_000,
  drainMs: 10_000,
  claimsMax: 10,
  awaitedMax: 10_000,
};

const LEASE_MIN_MS = 1_000;

/** The options with their defaults. @throws RefusedToBootError `workflow_options_invalid` with every problem */
export function resolveOptions(options: WorkflowOptions): ResolvedOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedOptions = {
    ...DEFAULTS,
    ...(Object.fromEntries(given) as unknown as WorkflowOptions),
  };
  const numbers = ['concurrency', 'leaseMs', 'rescueEveryMs', 'drainMs', 'claimsMax', 'awaitedMax'] as const;
  const problems = numbers
    .filter((name) => !Number.isInteger(resolved[name]) || resolved[name] < 1)
    .map((name) => `${name} is ${resolved[name]}, not a whole number from 1 on`);
  if (resolved.leaseMs < LEASE_MIN_MS)
    problems.push(`leaseMs is ${resolved.leaseMs}, less than ${LEASE_MIN_MS}`);
  if (!/^[a-z][a-z0-9-]*$/.test(resolved.service)) {
    problems.push(`service '${resolved.service}' is not made of lower case letters, digits and hyphens`);
  }
  if ((resolved.queueUrl === undefined) === (resolved.hintChannel === undefined)) {
    problems.push('give either queueUrl or hintChannel');
  }
  if (problems.length > 0)
    throw new RefusedToBootError('workflow_options_invalid', 'WorkflowModule can not start:', problems);
  return resolved;
}
