import { orderDefinition, OrderWorkflow, shipping } from '../../../../test/machine/order-workflow.js';
import { Began, Done } from '../../../../test/machine/ticket-workflow.js';
import type { StepContext } from '../model/step-context.js';
import { isWorkflow } from './declaration.js';
import { definitionOf } from './verify.js';
import { workflow } from './workflow.js';

const of = workflow<{ log: string[] }>()('ticket', {
  version: 1,
  states: ['Open', 'Closed'],
  final: ['Closed'],
});
type Context = StepContext<{ log: string[] }>;

class Ticket {
  constructor(readonly name: string) {}

  @of.On(Began, { start: true, to: 'Open' })
  began(data: { log: string[] }) {
    data.log = [this.name];
  }

  @of.Step({ in: 'Open' })
  async first(_context: Context): Promise<string> {
    return 'first';
  }

  @of.Step({ in: 'Open' })
  async second(_context: Context): Promise<string> {
    return 'second';
  }

  @of.Timeout({ in: 'Open', after: '1h', to: 'Closed' })
  expired() {}
}

@of.Workflow()
class SpecialTicket extends Ticket {
  @of.Step({ in: 'Open', retry: { attempts: 1 } })
  override async first(_context: Context) {
    return `special ${this.name}`;
  }

  override async second(_context: Context) {
    return 'undeclared';
  }

  @of.On(Done, { in: 'Open', to: 'Closed' })
  done() {}
}

class NamedTicket extends SpecialTicket {}

const context = {} as StepContext<unknown>;

it('keeps members in the order of their declaration', () => {
  const { handlers, steps, timeouts } = orderDefinition();
  expect(handlers.map(({ member }) => member)).toEqual([
    'submitted',
    'itemAdded',
    'remark',
    'accepted',
    'cancelled',
    'shipped',
  ]);
  expect(steps.map(({ name }) => name)).toEqual(['reserveStock', 'charge', 'releaseForShipment']);
  expect(timeouts.map(({ member }) => member)).toEqual(['expired', 'overdue']);
});

it('fills in what is not said', () => {
  const { handlers, steps, timeouts } = orderDefinition();
  expect(handlers[0]).toMatchObject({
    start: true,
    in: [],
    to: 'Submitted',
    publish: shipping,
    late: 'record',
  });
  expect(handlers[1]).toMatchObject({
    in: ['Submitted'],
    subject: { kind: 'item' },
    parkedMaxMs: 86_400_000,
  });
  expect(handlers[2]).toMatchObject({
    in: ['Submitted', 'Accepted'],
    subject: { kind: 'key' },
    late: 'ignore',
  });
  expect(handlers[3]?.when).toMatchObject({ name: 'allItemsSeen', announces: { type: 'orders.item-added' } });
  expect(steps[0]).toMatchObject({ effect: 'transactional', timeoutMs: 30_000, alone: false });
  expect(steps[0]?.retry).toEqual({
    attemptsMax: 8,
    backoff: 'exponential',
    delayMs: 200,
    delayMaxMs: 30_000,
  });
  expect(steps[1]).toMatchObject({
    effect: 'external',
    retry: { attemptsMax: 3, backoff: 'fixed', delayMs: 1_000 },
  });
  expect(timeouts[0]).toMatchObject({ in: 'Submitted', afterMs: 1_800_000, to: 'Cancelled' });
  expect(timeouts[1]).toMatchObject({ attention: 'shipment overdue' });
});

it('binds handlers and steps to the instance', async () => {
  const { handlers, steps } = definitionOf(new SpecialTicket('T-1'));
  const data = { log: [] };
  handlers[0]?.fold(data, {});
  expect(data.log).toEqual(['T-1']);
  expect(await steps[0]?.run(context)).toBe('special T-1');
});

it('inherits members, and lets a subclass declare one anew in its place', async () => {
  const { handlers, steps, timeouts } = definitionOf(new SpecialTicket('T-1'));
  expect(handlers.map(({ member }) => member)).toEqual(['began', 'done']);
  expect(steps.map(({ name, retry }) => `${name} ${retry.attemptsMax}`)).toEqual(['first 1', 'second 8']);
  expect(await steps[1]?.run(context)).toBe('undeclared');
  expect(timeouts).toHaveLength(1);
});

it('gives a subclass nothing back to its parent', () => {
  @of.Workflow()
  class Parent extends Ticket {}
  expect(definitionOf(new Parent('T-2')).handlers.map(({ member }) => member)).toEqual(['began']);
});

it('recognises instances of workflow classes and of what extends them', () => {
  expect([new OrderWorkflow(), new NamedTicket('T-3')].map(isWorkflow)).toEqual([true, true]);
  expect(
    [new Ticket('T-4'), SpecialTicket, null, undefined, 'text', Object.create(null)].map(isWorkflow),
  ).toEqual([false, false, false, false, false, false]);
  expect(definitionOf(new NamedTicket('T-3')).workflow).toBe('ticket');
});

it('makes one timeout of each state', () => {
  class Slow extends Ticket {
    @of.Timeout({ in: ['Open'], after: 5, attention: 'slow' })
    slow() {}
  }
  @of.Workflow()
  class Slower extends Slow {}
  expect(definitionOf(new Slower('T')).timeouts.map(({ member, in: state }) => `${member} ${state}`)).toEqual(
    ['expired Open', 'slow Open'],
  );
});
