import { MessageType } from '@pawl/messaging';
import { EffectLedger } from '@pawl/testing';
import {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  happened,
  type StepContext,
  workflow,
} from '@pawl/workflow';

@MessageType({ name: 'journey.ordered', version: 1 })
export class JourneyOrdered {
  constructor(readonly car: 'well' | 'cut off' | 'unsent') {}
}

@MessageType({ name: 'journey.called-off', version: 1 })
export class JourneyCalledOff {}

export const JOURNEY_SCHEMA = `create schema app; create table app.effect (id bigserial, key text not null, step text not null)`;

interface Journey {
  /** What becomes of the first attempt at the car: it fails behind its effect, or before it. */
  car: JourneyOrdered['car'];
}
type Context = StepContext<Journey>;
type Undone = CompensationContext<Journey, string>;

const journey = workflow<Journey>()('journey', {
  version: 1,
  states: ['Booking', 'Booked', 'CalledOff'],
  final: ['CalledOff'],
});
const quick = { retry: { attempts: 5, backoff: 'fixed', delay: 10 }, timeout: 300 } as const;

/** Bookings outside and inside the database, and a mail; each effect outside is noted under its idempotency key, at the moment at which it happens. */
@journey.Workflow()
export class JourneyWorkflow {
  constructor(private readonly ledger: EffectLedger) {}

  @journey.On(JourneyOrdered, { start: true, to: 'Booking' })
  ordered(data: Journey, { car }: JourneyOrdered): void {
    data.car = car;
  }

  @journey.On(JourneyCalledOff, { in: ['Booking', 'Booked'], to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @journey.Step({ in: 'Booking', effect: 'external', ...quick })
  async flight({ idempotencyKey }: Context): Promise<string> {
    this.ledger.note(`flight ${idempotencyKey}`);
    return idempotencyKey;
  }

  @journey.Compensate('flight', quick)
  async cancelFlight({ undoneKey }: Undone): Promise<void> {
    this.ledger.note(`cancelFlight ${undoneKey}`);
  }

  @journey.Step({ in: 'Booking', effect: 'external', guarantee: 'at-most-once', ...quick })
  async mail({ idempotencyKey }: Context): Promise<void> {
    this.ledger.note(`mail ${idempotencyKey}`);
  }

  @journey.Step({ in: 'Booking' })
  async hotel({ tx, key }: Context): Promise<string> {
    await tx.query(`insert into app.effect (key, step) values ($1, 'hotel')`, [key]);
    return 'room 7';
  }

  @journey.Compensate('hotel', quick)
  async cancelHotel({ tx, key, output }: Undone): Promise<void> {
    await tx.query(`insert into app.effect (key, step) values ($1, 'cancelHotel ' || $2)`, [key, output]);
  }

  @journey.Step({ in: 'Booking', to: 'Booked', effect: 'external', ...quick })
  async car({ data, idempotencyKey, attempt }: Context): Promise<string> {
    if (data.car === 'unsent' && attempt === 1) throw new Error('no connection');
    this.ledger.note(`car ${idempotencyKey}`);
    if (data.car === 'cut off' && attempt === 1) throw new Error('connection reset');
    return idempotencyKey;
  }

  @journey.Confirm('car', quick)
  async wasBooked({ idempotencyKey }: Context): Promise<Confirmation<string>> {
    return this.ledger.effects.includes(`car ${idempotencyKey}`) ? happened(idempotencyKey) : didNotHappen();
  }

  @journey.Compensate('car', quick)
  async cancelCar({ undoneKey }: Undone): Promise<void> {
    this.ledger.note(`cancelCar ${undoneKey}`);
  }
}
