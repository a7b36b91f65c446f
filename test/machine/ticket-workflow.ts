import type { RefusedToBootError } from '@pawl/core';
import { MessageType } from '@pawl/messaging';
import { allItemsSeen } from '../../libs/workflow/src/definition/all-items-seen.js';
import { verify } from '../../libs/workflow/src/definition/verify.js';
import { workflow } from '../../libs/workflow/src/definition/workflow.js';

@MessageType({ name: 'began', version: 1 })
export class Began {}

@MessageType({ name: 'item', version: 1 })
export class Item {}

@MessageType({ name: 'item', version: 2 })
export class ItemOfVersion2 {}

@MessageType({ name: 'accepted', version: 1 })
export class Accepted {}

@MessageType({ name: 'recounted', version: 1 })
export class Recounted {}

@MessageType({ name: 'done', version: 1 })
export class Done {}

export class Undecorated {}

export type Decorator = (target: object, member: string) => void;
export type Member = Decorator | readonly [Decorator, unknown] | null;

/** The decorators without their types: what the compiler refuses, boot has to refuse too. */
export interface Untyped {
  On(type: unknown, options: object): Decorator;
  Step(options: object): Decorator;
  Compensate(step: string, options?: object): Decorator;
  Confirm(step: string, options?: object): Decorator;
  Timeout(options: object): Decorator;
  Deadline(options: object): Decorator;
  Workflow(): (target: unknown) => void;
}

export const shape = { name: 'ticket', version: 1, states: ['Open', 'Busy', 'Closed'], final: ['Closed'] };

/** An instance of a correct workflow, Open -> Busy -> Closed, with members replaced, added or (null) removed. */
export function ticket(
  members: (w: Untyped) => Record<string, Member> = () => ({}),
  given: Partial<typeof shape> = {},
): object {
  const { name, ...states } = { ...shape, ...given };
  const w = workflow()(name, states as never) as unknown as Untyped;
  class Ticket {}
  const all: Record<string, Member> = {
    began: w.On(Began, { start: true, to: 'Open' }),
    accepted: w.On(Accepted, { in: 'Open', to: 'Busy' }),
    done: w.On(Done, { in: 'Busy', to: 'Closed' }),
    ...members(w),
  };
  for (const [member, declared] of Object.entries(all)) {
    if (declared === null) continue;
    const [decorate, body] = typeof declared === 'function' ? [declared, () => undefined] : declared;
    Object.defineProperty(Ticket.prototype, member, { value: body });
    decorate(Ticket.prototype, member);
  }
  w.Workflow()(Ticket);
  return new Ticket();
}

/** What boot says against these instances. */
export function problemsOf(...instances: object[]): readonly string[] {
  try {
    verify(instances);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'workflow_invalid' });
    return (error as RefusedToBootError).problems;
  }
}

export const items = { in: 'Open', item: () => 0 };
export const whenAllSeen = { when: allItemsSeen(Item, () => 1) };
