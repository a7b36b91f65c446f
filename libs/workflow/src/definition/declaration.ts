import type { MessageClass } from '@pawl/messaging';
import type { UpdateOptions } from './asking-options.js';
import type {
  CompensateOptions,
  ConfirmOptions,
  DeadlineOptions,
  MigrateOptions,
  OnOptions,
  StepOptions,
  TimeoutOptions,
  WorkflowShape,
} from './options.js';

/** What `workflow()` was given: one object per call, which tells the decorators of two workflows apart. */
export interface WorkflowHead extends WorkflowShape<string> {
  readonly name: string;
}

/** What one decorator said about one member. */
export type MemberDeclaration = { readonly head: WorkflowHead; readonly member: string } & (
  | { readonly kind: 'on'; readonly type: MessageClass; readonly options: AnyOnOptions }
  | { readonly kind: 'step'; readonly options: StepOptions<unknown, string> }
  | { readonly kind: 'compensate'; readonly step: string; readonly options: CompensateOptions }
  | { readonly kind: 'confirm'; readonly step: string; readonly options: ConfirmOptions }
  | { readonly kind: 'timeout'; readonly options: TimeoutOptions<unknown, string> }
  | { readonly kind: 'deadline'; readonly options: DeadlineOptions<unknown, string> }
  | { readonly kind: 'migrate'; readonly options: MigrateOptions }
  | { readonly kind: 'update'; readonly options: UpdateOptions<string, unknown> }
  | { readonly kind: 'query' | 'status' }
);

export type AnyOnOptions = OnOptions<unknown, string, unknown>;

/** Keeps what a member decorator said, with the prototype that has the member (or the class, for a static one). */
export function declareMember(target: object, declaration: MemberDeclaration): void {
  const own = ownMembers(target);
  Object.defineProperty(target, MEMBERS, { value: [...own, declaration], configurable: true });
}

export function declareWorkflow(target: object, head: WorkflowHead): void {
  Object.defineProperty(target, HEAD, { value: head });
}

/** The workflow that the class of an instance, or one it extends, is marked as. */
export function headOf(instance: object): WorkflowHead | undefined {
  const { constructor: type } = instance as { constructor?: { [HEAD]?: WorkflowHead } };
  return type?.[HEAD];
}

/** Whether a value is the instance of a class marked with `@Workflow()`. */
export function isWorkflow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && headOf(value) !== undefined;
}

/** All declarations in order; a subclass that declares a member anew takes the place of the inherited one. */
export function membersOf(instance: object): MemberDeclaration[] {
  const byMember = new Map<string, MemberDeclaration[]>();
  for (const prototype of prototypesOf(instance).toReversed()) {
    const own = ownMembers(prototype);
    for (const { member } of own)
      byMember.set(
        member,
        own.filter((one) => one.member === member),
      );
  }
  return [...byMember.values()].flat();
}

/** Declarations on static members, which have no effect. */
export function staticMembersOf(instance: object): MemberDeclaration[] {
  return prototypesOf(instance).flatMap((prototype) => ownMembers(prototype.constructor));
}

function prototypesOf(instance: object): object[] {
  const prototypes: object[] = [];
  let prototype = Object.getPrototypeOf(instance) as object | null;
  while (prototype && prototype !== Object.prototype) {
    prototypes.push(prototype);
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return prototypes;
}

function ownMembers(target: object): readonly MemberDeclaration[] {
  return Object.hasOwn(target, MEMBERS) ? ((target as Declared)[MEMBERS] ?? []) : [];
}

interface Declared {
  readonly [MEMBERS]?: readonly MemberDeclaration[];
}

// Registered symbols: an application may have loaded two copies of this package.
const HEAD: unique symbol = Symbol.for('pawl.workflow');
const MEMBERS: unique symbol = Symbol.for('pawl.workflow-members');
