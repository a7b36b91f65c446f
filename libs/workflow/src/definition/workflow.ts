import type { MessageClass } from '@pawl/messaging';
import { declareMember, declareWorkflow, type WorkflowHead } from './declaration.js';
import type { OnOptions, WorkflowDecorators, WorkflowShape } from './options.js';

/**
 * Declares a workflow and answers the decorators for its class. `workflow<Order>()('order', { ... })`: the data type is
 * given, the state names are inferred, hence two calls. Nothing is checked here; boot checks everything at once.
 *
 * @example
 * const order = workflow<Order>()('order', { version: 1, states: ['Submitted', 'Shipped'], final: ['Shipped'] });
 */
export function workflow<Data extends object>(): <const State extends string>(
  name: string,
  shape: WorkflowShape<State>,
) => WorkflowDecorators<Data, State> {
  return (name, shape) => decoratorsOf({ ...shape, name });
}

function decoratorsOf<Data extends object, State extends string>(
  head: WorkflowHead,
): WorkflowDecorators<Data, State> {
  return {
    Workflow: () => (target) => declareWorkflow(target, head),
    On:
      <Event extends object>(type: MessageClass<Event>, options: OnOptions<Data, State, Event>) =>
      (target, member) =>
        declareMember(target, { head, member, kind: 'on', type, options: erased(options) }),
    Step: (options) => (target, member) =>
      declareMember(target, { head, member, kind: 'step', options: erased(options) }),
    Compensate:
      (step, options = {}) =>
      (target, member) =>
        declareMember(target, { head, member, kind: 'compensate', step, options }),
    Confirm:
      (step, options = {}) =>
      (target, member) =>
        declareMember(target, { head, member, kind: 'confirm', step, options }),
    Timeout: (options) => (target, member) =>
      declareMember(target, { head, member, kind: 'timeout', options: erased(options) }),
    Deadline: (options) => (target, member) =>
      declareMember(target, { head, member, kind: 'deadline', options: erased(options) }),
    Update: (options) => (target, member) => declareMember(target, { head, member, kind: 'update', options }),
    Query: () => (target, member) => declareMember(target, { head, member, kind: 'query' }),
    Status: () => (target, member) => declareMember(target, { head, member, kind: 'status' }),
    Migrate: (options) => (target, member) =>
      declareMember(target, { head, member, kind: 'migrate', options }),
  };
}

/** From here on an event is what a payload is, and data what the database has: unknown. */
function erased<Erased>(options: object): Erased {
  return options as Erased;
}
