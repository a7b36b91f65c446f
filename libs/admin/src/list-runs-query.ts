import type { RunFilter } from '@pawl/workflow';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';

const TEXT = /^[^\p{Cc}\p{Cs}]{1,512}$/u;
const LIMIT = 50;

/** The parameters of `GET /admin/v1/runs`, as they come; anything else is refused. */
export class ListRunsQuery {
  @IsOptional()
  @Matches(TEXT)
  workflow?: string;

  @IsOptional()
  @Matches(TEXT)
  status?: string;

  @IsOptional()
  @Matches(TEXT)
  state?: string;

  @IsOptional()
  @Matches(TEXT)
  key?: string;

  /** Runs that a person should look at, or those that nobody need. */
  @IsOptional()
  @IsIn(['true', 'false'])
  attention?: string;

  /** 1 to 100, default 50. */
  @IsOptional()
  @Matches(/^([1-9]\d?|100)$/, { message: 'limit must be 1 to 100' })
  limit?: string;

  /** `next` of the page before. */
  @IsOptional()
  @IsUUID()
  after?: string;
}

export function filterOf({ attention, limit, ...texts }: ListRunsQuery): RunFilter {
  const given = Object.entries(texts).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(given) as Pick<RunFilter, 'workflow' | 'status' | 'state' | 'key' | 'after'>),
    ...(attention === undefined ? {} : { attention: attention === 'true' }),
    limit: limit === undefined ? LIMIT : Number(limit),
  };
}
