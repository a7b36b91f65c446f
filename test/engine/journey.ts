import { MessageType } from '@pawl/messaging';
import { type CompensationContext, type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'journey.wanted', version: 1 })
export class Wanted {
  constructor(readonly to: string) {}
}

@MessageType({ name: 'journey.remarked', version: 1 })
export class Remarked {
  constructor(readonly words: string) {}
}

@MessageType({ name: 'journey.departed', version: 1 })
export class Departed {}

@MessageType({ name: 'journey.given-up', version: 1 })
export class GivenUp {}

@MessageType({ name: 'journey.returned', version: 1 })
export class Returned {}

export interface Journey {
  to?: string;
  remarks?: string[];
}

const journey = workflow<Journey>()('journey', {
  version: 1,
  states: ['Booking', 'Booked', 'Travelling', 'Home', 'CalledOff'],
  final: ['Home', 'CalledOff'],
});

/** What the steps call; a spec says how it behaves, and finds what it was asked for. */
export class Bookings {
  readonly calls: string[] = [];
  readonly keys: string[] = [];
  /** What a call does before it is answered. */
  during: (name: string, context: StepContext<Journey>) => Promise<void> = async () => undefined;

  async book(name: string, context: StepContext<Journey>): Promise<string> {
    this.calls.push(name);
    this.keys.push(`${name} ${context.idempotencyKey}`);
    await this.during(name, context);
    return `${name} to ${context.data.to}`;
  }

  /** The idempotency keys that were used for this call, in their order. */
  keysOf(name: string): string[] {
    return this.keys.filter((key) => key.startsWith(`${name} `));
  }
}

/** Two bookings that can be undone, a departure to wait for, and a step that can not be taken back. */
@journey.Workflow()
export class JourneyWorkflow {
  constructor(private readonly bookings: Bookings) {}

  @journey.On(Wanted, { start: true, to: 'Booking' })
  wanted(data: Journey, { to }: Wanted): void {
    data.to = to;
    data.remarks = [];
  }

  @journey.On(Remarked, {
    in: ['Booking', 'Booked', 'Travelling'],
    key: ({ words }) => words,
    late: 'ignore',
  })
  remarked(data: Journey, { words }: Remarked): void {
    data.remarks?.push(words);
  }

  @journey.On(GivenUp, { in: 'Booking', to: 'CalledOff', competes: true, late: 'ignore' })
  givenUp(): void {}

  @journey.Step({ in: 'Booking', effect: 'external', deadline: '1h', retry: { attempts: 2, delay: 5 } })
  async flight(context: StepContext<Journey>): Promise<string> {
    return this.bookings.book('flight', context);
  }

  @journey.Compensate('flight', { retry: { attempts: 2, delay: 5 } })
  async cancelFlight(context: CompensationContext<Journey, string>): Promise<void> {
    await this.bookings.book('cancelFlight', context);
  }

  @journey.Step({
    in: 'Booking',
    to: 'Booked',
    effect: 'external',
    onFailure: 'stop',
    retry: { attempts: 2, delay: 5 },
  })
  async hotel(context: StepContext<Journey>): Promise<string> {
    return this.bookings.book('hotel', context);
  }

  @journey.Compensate('hotel', { retry: { attempts: 2, delay: 5 } })
  async cancelHotel(context: CompensationContext<Journey, string>): Promise<void> {
    await this.bookings.book('cancelHotel', context);
  }

  @journey.On(Departed, { in: 'Booked', to: 'Travelling', competes: true })
  departed(): void {}

  @journey.Timeout({ in: 'Booked', after: '2h', to: 'CalledOff' })
  nobodyCame(): void {}

  @journey.Step({ in: 'Travelling', noReturn: true, retry: { attempts: 1 } })
  async checkIn(context: StepContext<Journey>): Promise<string> {
    return this.bookings.book('checkIn', context);
  }

  @journey.On(Returned, { in: 'Travelling', to: 'Home' })
  returned(): void {}
}
