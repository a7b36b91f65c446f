import { MessageType } from '@pawl/messaging';
import { type CompensationContext, type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'trip.ordered', version: 1 })
export class Ordered {}

@MessageType({ name: 'trip.called-off', version: 1 })
export class CalledOff {}

@MessageType({ name: 'trip.postponed', version: 1 })
export class Postponed {}

@MessageType({ name: 'trip.changed', version: 1 })
export class Changed {}

@MessageType({ name: 'trip.ended', version: 1 })
export class Ended {}

type Context = StepContext<object>;
type Undone = CompensationContext<object, unknown>;
export type Behaviour = (context: Context & Partial<Undone>, call: number) => Promise<unknown>;

/** A call that a workflow made, as the other side sees it. */
export interface Call {
  readonly what: string;
  readonly key: string;
  readonly idempotencyKey: string;
  /** Of a compensation: what it was told. */
  readonly told?: unknown;
}

/** What the steps of trips call: it counts, and behaves as the spec says. */
export class Agency {
  readonly calls: Call[] = [];
  readonly does = new Map<string, Behaviour>();

  async call(what: string, context: Context): Promise<unknown> {
    this.calls.push({ what, key: context.key, idempotencyKey: context.idempotencyKey });
    return this.behave(what, context);
  }

  async undo(what: string, context: Undone): Promise<void> {
    const { key, idempotencyKey, outcome, output } = context;
    this.calls.push({ what, key, idempotencyKey, told: outcome === 'done' ? output : outcome });
    await this.behave(what, context);
  }

  /** What was called for a run, in order. */
  of(key: string): string[] {
    return this.calls.filter((call) => call.key === key).map(({ what }) => what);
  }

  /** What the compensations of a run were told, in order. */
  undone(key: string): [what: string, told: unknown][] {
    const undone = this.calls.filter((call) => call.key === key && 'told' in call);
    return undone.map(({ what, told }) => [what, told]);
  }

  private async behave(what: string, context: Context): Promise<unknown> {
    const calls = this.calls.filter((call) => call.key === context.key && call.what === what).length;
    const behaviour = this.does.get(`${what} ${context.key}`);
    return behaviour ? behaviour(context, calls) : `${what} of ${context.key}`;
  }
}

const trip = workflow<object>()('trip', {
  version: 1,
  states: ['Booking', 'Booked', 'Later', 'Over', 'CalledOff'],
  final: ['Over', 'CalledOff'],
});

const retry = { attempts: 2, backoff: 'fixed', delay: 10 } as const;

/** Three bookings, one after the other: an external one, one in a transaction, another external one. Each can be undone. */
@trip.Workflow()
export class TripWorkflow {
  constructor(private readonly agency: Agency) {}

  @trip.On(Ordered, { start: true, to: 'Booking' })
  ordered(): void {}

  @trip.On(CalledOff, { in: ['Booking', 'Booked'], to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @trip.On(Postponed, { in: ['Booking', 'Booked'], to: 'Later', competes: true })
  postponed(): void {}

  @trip.On(Changed, { in: ['Booking', 'Booked', 'Later'], competes: true })
  changed(): void {}

  @trip.On(Ended, { in: ['Booking', 'Booked', 'Later'], to: 'Over', competes: true })
  ended(): void {}

  @trip.Timeout({ in: 'Booked', after: '30d', to: 'CalledOff', undo: true })
  forgotten(): void {}

  @trip.Step({ in: 'Booking', effect: 'external', retry, timeout: 200 })
  async flight(context: Context): Promise<unknown> {
    return this.agency.call('flight', context);
  }

  @trip.Compensate('flight', { retry })
  async cancelFlight(context: Undone): Promise<void> {
    return this.agency.undo('cancelFlight', context);
  }

  @trip.Step({ in: 'Booking', retry })
  async hotel(context: Context): Promise<unknown> {
    return this.agency.call('hotel', context);
  }

  @trip.Compensate('hotel', { retry })
  async cancelHotel(context: Undone): Promise<void> {
    return this.agency.undo('cancelHotel', context);
  }

  @trip.Step({ in: 'Booking', to: 'Booked', effect: 'external', retry })
  async car(context: Context): Promise<unknown> {
    return this.agency.call('car', context);
  }

  @trip.Compensate('car', { retry })
  async cancelCar(context: Undone): Promise<void> {
    return this.agency.undo('cancelCar', context);
  }
}
