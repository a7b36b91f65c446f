import {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  happened,
  type StatusPosition,
  type StepContext,
  workflow,
} from '@pawl/workflow';
import { TripCancelled, TripRequested } from './messages.js';
import type { Provider } from './provider.js';

/** A trip as its run knows it. */
export interface Trip {
  flight: string;
  hotel: string;
  car: string;
  priceCents: number;
  cancelledFor?: string;
}

/** Who is asked for what. */
export interface Providers {
  readonly flights: Provider;
  readonly hotels: Provider;
  readonly cars: Provider;
  readonly bank: Provider;
  readonly tickets: Provider;
}

/** What the customer is shown. */
export interface TripStatus {
  readonly stage: string;
  readonly canBeCancelled: boolean;
}

type Step = StepContext<Trip>;
type Undo = CompensationContext<Trip, string>;

const trip = workflow<Trip>()('trip', {
  version: 1,
  states: ['Booking', 'Ticketing', 'Booked', 'Cancelled', 'Expired'],
  final: ['Booked', 'Cancelled', 'Expired'],
});

/** Providers are away for minutes; an hour is the limit for all of it. */
const retry = { attempts: 30, delay: '1s', delayMax: '5m' } as const;

@trip.Workflow()
export class TripWorkflow {
  constructor(private readonly providers: Providers) {}

  @trip.On(TripRequested, { start: true, to: 'Booking' })
  requested(data: Trip, { flight, hotel, car, priceCents }: TripRequested): void {
    Object.assign(data, { flight, hotel, car, priceCents });
  }

  /** Whatever is booked, or may be, is given back. Once the tickets are being issued it comes too late. */
  @trip.On(TripCancelled, { in: ['Booking', 'Ticketing'], to: 'Cancelled', undo: true, competes: true })
  cancelled(data: Trip, { reason }: TripCancelled): void {
    data.cancelledFor = reason;
  }

  @trip.Deadline({ after: '1h', to: 'Expired', undo: true })
  expired(): void {}

  @trip.Step({ in: 'Booking', effect: 'external', retry })
  async bookFlight({ key, data, idempotencyKey, signal }: Step): Promise<string> {
    return this.providers.flights.ask(idempotencyKey, { trip: key, what: data.flight }, signal);
  }

  @trip.Compensate('bookFlight', { retry })
  async cancelFlight({ undoneKey, signal }: Undo): Promise<void> {
    await this.providers.flights.giveBack(undoneKey, signal);
  }

  /** Hotel and car have nothing to do with each other: they are booked side by side. */
  @trip.Step({ in: 'Booking', after: ['bookFlight'], effect: 'external', retry })
  async bookHotel({ key, data, idempotencyKey, signal }: Step): Promise<string> {
    return this.providers.hotels.ask(idempotencyKey, { trip: key, what: data.hotel }, signal);
  }

  @trip.Compensate('bookHotel', { retry })
  async cancelHotel({ undoneKey, signal }: Undo): Promise<void> {
    await this.providers.hotels.giveBack(undoneKey, signal);
  }

  @trip.Step({ in: 'Booking', after: ['bookFlight'], effect: 'external', retry })
  async bookCar({ key, data, idempotencyKey, signal }: Step): Promise<string> {
    return this.providers.cars.ask(idempotencyKey, { trip: key, what: data.car }, signal);
  }

  @trip.Compensate('bookCar', { retry })
  async cancelCar({ undoneKey, signal }: Undo): Promise<void> {
    await this.providers.cars.giveBack(undoneKey, signal);
  }

  /** The step that leaves the state waits for all others of the state. */
  @trip.Step({ in: 'Booking', to: 'Ticketing', effect: 'external', retry })
  async charge({ key, data, idempotencyKey, signal }: Step): Promise<string> {
    return this.providers.bank.ask(idempotencyKey, { trip: key, what: `${data.priceCents} cents` }, signal);
  }

  /** Asked after a charge that was never answered, before it is made again or refunded. */
  @trip.Confirm('charge', { retry })
  async wasCharged({ idempotencyKey, signal }: Step): Promise<Confirmation<string>> {
    const reference = await this.providers.bank.find(idempotencyKey, signal);
    return reference === undefined ? didNotHappen() : happened(reference);
  }

  @trip.Compensate('charge', { retry })
  async refund({ undoneKey, signal }: Undo): Promise<void> {
    await this.providers.bank.giveBack(undoneKey, signal);
  }

  /** Tickets can not be given back. */
  @trip.Step({ in: 'Ticketing', to: 'Booked', effect: 'external', noReturn: true, retry })
  async issueTickets({ key, outputs, idempotencyKey, signal }: Step): Promise<string> {
    const what = `tickets for ${String(outputs['bookFlight'])}`;
    return this.providers.tickets.ask(idempotencyKey, { trip: key, what }, signal);
  }

  @trip.Status()
  status({ cancelledFor }: Readonly<Trip>, { state, status }: StatusPosition<TripState>): TripStatus {
    const canBeCancelled = state === 'Booking' && status !== 'compensating' && status !== 'compensated';
    if (status === 'compensating') return { stage: 'we are giving back what was booked', canBeCancelled };
    if (status === 'compensation_failed')
      return { stage: 'we are looking into your cancellation', canBeCancelled: false };
    if (status === 'compensated' && state === 'Booking')
      return { stage: 'it could not be booked; nothing was charged', canBeCancelled };
    if (cancelledFor !== undefined) return { stage: `cancelled: ${cancelledFor}`, canBeCancelled };
    return { stage: STAGES[state], canBeCancelled };
  }
}

type TripState = 'Booking' | 'Ticketing' | 'Booked' | 'Cancelled' | 'Expired';

const STAGES: Readonly<Record<TripState, string>> = {
  Booking: 'we are booking',
  Ticketing: 'the tickets are being issued',
  Booked: 'booked',
  Cancelled: 'cancelled',
  Expired: 'it could not be booked in time; nothing was charged',
};
