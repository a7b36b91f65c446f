import { PawlError } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import { isOver } from '../../machine/is-over.js';
import { type PublicStatus, publicStatus } from '../../machine/public-status.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { findRun } from '../../store/find-run.js';
import { findStanding } from '../../store/find-standing.js';
import type { RunAddress } from '../../store/lock-runs.js';
import type { Definitions } from '../definitions.js';
import { freezeDeep } from '../attempt/freeze-deep.js';
import { RunNotFoundError } from './run-not-found-error.js';

/** A run that was started, with the class that can read it. */
interface Readable {
  readonly run: Run & { readonly state: string };
  readonly definition: Definition;
}

/** Answers questions about runs: reads the newest committed row, locks nothing, changes nothing. */
export class RunQuestions {
  constructor(
    private readonly manager: EntityManager,
    private readonly definitions: Definitions,
  ) {}

  /** @throws RunNotFoundError, PawlError `query_unknown`, `version_not_here`, and what the method throws */
  async query(address: RunAddress, member: string, args: unknown): Promise<unknown> {
    const { run, definition } = this.readable(address, await findRun(this.manager, address));
    const query = definition.queries.find((one) => one.member === member);
    if (!query) throw unknownQuery(definition, member);
    return synchronous(member, query.answer(run.data, args));
  }

  /** What the method with `@Status` says, or what every workflow can. @throws RunNotFoundError, PawlError `version_not_here` */
  async status(address: RunAddress): Promise<unknown> {
    const standing = await findStanding(this.manager, address);
    const { run, definition } = this.readable(address, standing?.run);
    const outputs = standing?.outputs ?? {};
    const { status, state, attention, data } = run;
    if (!definition.status) return publicStatus(run) satisfies PublicStatus;
    return synchronous('status', definition.status.answer(data, { status, state, attention, outputs }));
  }

  private readable(address: RunAddress, run: Run | undefined): Readable {
    if (run === undefined || run.state === null) throw new RunNotFoundError(address);
    const definition = this.definitions.deciding(run, []);
    if (!definition) throw versionNotHere(run);
    freezeDeep(run.data);
    return { run: { ...run, state: run.state }, definition };
  }
}

/** What escaped the compiler and boot: a promise would answer with data of another moment. */
function synchronous(member: string, answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('then' in answer)) return answer;
  throw new PawlError(
    'query_async',
    `${member} answered a promise; it is pure, so let it answer from the data.`,
  );
}

function unknownQuery({ workflow, version, queries }: Definition, member: string): PawlError {
  const known = queries.map((query) => query.member).join(', ') || 'none';
  return new PawlError(
    'query_unknown',
    `Version ${version} of ${workflow} has no query ${member}, only ${known}: decorate the method with @Query().`,
    { workflow, version, query: member },
  );
}

/** Another process may have it: the caller asks again, or the version is deployed here. */
function versionNotHere(run: Run): PawlError {
  const { workflow, version } = run;
  const ended = isOver(run) ? '; the run has ended, so a newer one would do' : '';
  return new PawlError(
    'version_not_here',
    `The run has version ${version} of ${workflow}, which this process does not have${ended}: keep its class until its runs have ended.`,
    { workflow, version },
  );
}
