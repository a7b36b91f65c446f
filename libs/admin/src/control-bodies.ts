import type { ControlOptions, ForkTerms, RedriveTerms, SkipTerms } from '@pawl/workflow';
import { Allow, IsIn, IsInt, IsObject, IsOptional, IsString, IsUUID, Length, Min } from 'class-validator';

/** Who asks if the body does not say: whoever has the token. */
const ACTOR = 'admin token';

/** What every order for a run takes; anything else is refused. */
export class ControlBody {
  /** Default: `admin token`. */
  @IsOptional()
  @Length(1, 200)
  actor?: string;

  @Length(1, 1_000)
  reason!: string;

  /** The same order under the same id is carried out once. */
  @IsOptional()
  @IsUUID()
  id?: string;
}

/** Of a fork. */
export class ForkBody extends ControlBody {
  @Length(1, 512)
  key!: string;

  @IsInt()
  @Min(1)
  revision!: number;
}

export class SkipBody extends ControlBody {
  @IsOptional()
  @IsString()
  step?: string;

  @Allow()
  output?: unknown;
}

export class RedriveBody extends SkipBody {
  @IsOptional()
  @IsObject()
  data?: object;

  @IsOptional()
  @IsIn(['happened', 'not-happened'])
  assume?: 'happened' | 'not-happened';
}

/** The body without what it leaves out, or gives as null where that says nothing. */
export function termsOf<Body extends ControlBody>(body: Body): ControlOptions & TermsIn<Body> {
  const given = Object.entries(body).filter(
    ([name, value]) => value !== undefined && (value !== null || name === 'output'),
  );
  return { actor: ACTOR, ...Object.fromEntries(given) } as ControlOptions & TermsIn<Body>;
}

type TermsIn<Body> = Body extends ForkBody
  ? ForkTerms
  : Body extends RedriveBody
    ? RedriveTerms
    : Body extends SkipBody
      ? SkipTerms
      : object;
