import type {
  CompensationDefinition,
  ConfirmationDefinition,
  StepDefinition,
} from '../../model/definition.js';
import { buildStep } from './build-step.js';
import { attemptTimeout, retryPolicy } from './build-retry.js';
import type { MemberDeclaration } from '../declaration.js';
import { methodOf, type Report } from './reading.js';

type Of<Kind extends MemberDeclaration['kind']> = Extract<MemberDeclaration, { kind: Kind }>;

/** The steps that a class declares, each with its compensation and confirmation, if it has them. */
export function buildSteps(
  instance: object,
  members: readonly MemberDeclaration[],
  report: Report,
): StepDefinition[] {
  const declared = members.filter((member): member is Of<'step'> => member.kind === 'step');
  const steps = declared.flatMap((member) => {
    const ofState = declared.filter(({ options }) => options.in === member.options.in);
    return buildStep(instance, member, ofState, report);
  });
  const besides = members.filter((member) => member.kind === 'compensate' || member.kind === 'confirm');
  reportStrays(besides, steps, report);
  return steps.map((step) => {
    const own = besides.filter((member) => member.step === step.name);
    const compensation = own.find((member): member is Of<'compensate'> => member.kind === 'compensate');
    const confirmation = own.find((member): member is Of<'confirm'> => member.kind === 'confirm');
    return {
      ...step,
      ...(compensation && buildCompensation(instance, step, compensation, report)),
      ...(confirmation && buildConfirmation(instance, confirmation, report)),
    };
  });
}

function buildCompensation(
  instance: object,
  step: StepDefinition,
  { member, options }: Of<'compensate'>,
  report: Report,
): { compensation: CompensationDefinition } | undefined {
  const method = methodOf(instance, member, report);
  if (!method) return undefined;
  const { effect = step.effect, retry = {}, timeout = '30s' } = options;
  return {
    compensation: {
      name: member,
      effect,
      retry: retryPolicy(retry, member, report),
      timeoutMs: attemptTimeout(timeout, member, report),
      run: (context) => method.call(instance, context) as Promise<unknown>,
    },
  };
}

function buildConfirmation(
  instance: object,
  { member, options }: Of<'confirm'>,
  report: Report,
): { confirmation: ConfirmationDefinition } | undefined {
  const method = methodOf(instance, member, report);
  if (!method) return undefined;
  const { unknown: onUnknown = 'person', retry = {}, timeout = '30s' } = options;
  return {
    confirmation: {
      name: member,
      unknown: onUnknown,
      retry: retryPolicy(retry, member, report),
      timeoutMs: attemptTimeout(timeout, member, report),
      run: (context) => method.call(instance, context) as ReturnType<ConfirmationDefinition['run']>,
    },
  };
}

/** Each step has one of a kind, and what belongs to no step would never run. */
function reportStrays(
  besides: readonly (Of<'compensate'> | Of<'confirm'>)[],
  steps: readonly StepDefinition[],
  report: Report,
): void {
  for (const [n, { member, kind, step }] of besides.entries()) {
    if (!steps.some(({ name }) => name === step))
      report(member, `there is no step ${step}; name a method that is decorated with @Step`);
    const first = besides.findIndex((one) => one.kind === kind && one.step === step);
    if (first < n)
      report(member, `step ${step} has ${besides[first]?.member ?? 'another'} for that already; remove one`);
  }
}
