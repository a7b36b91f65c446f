import { MessageType } from '@pawl/messaging';
import {
  type CompensationContext,
  type Confirmation,
  didNotHappen,
  happened,
  NoEffectError,
  PermanentError,
  type StepContext,
  unknown,
  workflow,
} from '@pawl/workflow';
import { outcomeOf, TIMEOUT_MS } from './provider.js';
import type { Wanted } from './provider-books.js';

@MessageType({ name: 'tour.ordered', version: 1 })
export class TourOrdered {
  constructor(readonly rooms: number) {}
}

@MessageType({ name: 'tour.noted', version: 1 })
export class TourNoted {
  constructor(readonly words: string) {}
}

@MessageType({ name: 'tour.rebooked', version: 1 })
export class TourRebooked {}

@MessageType({ name: 'tour.confirmed', version: 1 })
export class TourConfirmed {}

@MessageType({ name: 'tour.called-off', version: 1 })
export class TourCalledOff {}

export const TOUR_SCHEMA = `create schema app;
  create table app.effect (id bigserial, at timestamptz not null default clock_timestamp(), key text not null, act text not null, what text not null)`;

interface Tour {
  rooms: number;
  notes: string[];
  /** Changed by who redrives a step. */
  remark: string;
  version: number;
}
type Context = StepContext<Tour>;
type Undone = CompensationContext<Tour, unknown>;

const STATES = ['Booking', 'Booked', 'Packing', 'Shipped', 'Delivered', 'CalledOff', 'Expired'] as const;
const FINAL = ['Delivered', 'CalledOff', 'Expired'] as const;
const NOT_SHIPPED = ['Booking', 'Booked', 'Packing'] as const;
const retry = { attempts: 4, backoff: 'fixed', delay: 20 } as const;
const external = { effect: 'external', retry, timeout: TIMEOUT_MS } as const;
const again = { retry: { ...retry, attempts: 6 }, timeout: TIMEOUT_MS } as const;

/** Says nothing. */
const nothing = (): void => undefined;

/** Both versions: the second one insures the parcel as well, and takes over runs of the first. */
export function tourOf(version: 1 | 2) {
  const tour = workflow<Tour>()('tour', { version, states: STATES, final: FINAL });
  const inSecond = version === 2;

  @tour.Workflow()
  class TourWorkflow {
    constructor(readonly provider: string) {}

    @tour.On(TourOrdered, { start: true, to: 'Booking' })
    ordered(data: Tour, { rooms }: TourOrdered): void {
      Object.assign(data, { rooms, notes: [], remark: '', version });
    }

    @tour.On(TourNoted, { in: ['Booked', 'Packing'], key: ({ words }) => words, competes: true })
    noted(data: Tour, { words }: TourNoted): void {
      data.notes.push(words);
    }

    /** Leaves behind what is under way. */
    @tour.On(TourRebooked, { in: 'Booking', to: 'Booked', competes: true })
    rebooked(): void {}

    @tour.On(TourConfirmed, { in: 'Booked', to: 'Packing', competes: true })
    confirmed(): void {}

    @tour.On(TourCalledOff, { in: [...NOT_SHIPPED], to: 'CalledOff', undo: true, competes: true })
    calledOff(): void {}

    @tour.Timeout({ in: 'Booked', after: '3s', to: 'Expired', undo: true })
    forgotten(): void {}

    @tour.Deadline({ after: '20s', to: 'Expired', undo: true })
    expired(): void {}

    @(inSecond ? tour.Migrate({ from: 1 }) : nothing)
    fromFirst({ state, data }: { state: (typeof STATES)[number]; data: Tour }) {
      return { state, data: { ...data, version: 2 } };
    }

    @tour.Step({ in: 'Booking', after: [], ...external })
    async flight(context: Context): Promise<unknown> {
      return this.make('flight', context);
    }

    @tour.Compensate('flight', again)
    async cancelFlight(context: Undone): Promise<void> {
      await this.undo('flight', context);
    }

    @tour.Step({ in: 'Booking', after: [], ...external })
    async charge(context: Context): Promise<unknown> {
      return this.make('charge', context);
    }

    @tour.Confirm('charge', { retry: { ...retry, attempts: 2 }, timeout: TIMEOUT_MS })
    async wasCharged(context: Context): Promise<Confirmation<unknown>> {
      const { outcome, receipt } = await this.ask(
        { act: 'find', what: 'charge', key: context.idempotencyKey },
        context,
      );
      if (outcome === 'well') return happened(receipt);
      return outcome === 'nothing' ? didNotHappen() : unknown();
    }

    @tour.Compensate('charge', again)
    async refund(context: Undone): Promise<void> {
      await this.undo('charge', context);
    }

    @tour.Step({ in: 'Booking', after: ['flight'], retry })
    async reserve({ tx, key, attempt }: Context): Promise<unknown> {
      await note(tx, key, 'make', 'reserve');
      if (attempt === 1 && key.endsWith('3')) throw new Error('not at once');
      return { table: 3 };
    }

    @tour.Compensate('reserve', again)
    async release({ tx, key }: Undone): Promise<void> {
      await note(tx, key, 'undo', 'reserve');
    }

    @tour.Step({
      ...{ in: 'Booking', after: ['charge'], ...external },
      forEach: { items: ({ rooms }) => rooms, concurrency: 2 },
    })
    async rooms(context: Context): Promise<unknown> {
      return this.make(`rooms/${context.index}`, context);
    }

    @tour.Compensate('rooms', again)
    async cancelRooms(context: Undone): Promise<void> {
      await this.undo(`rooms/${context.index}`, context);
    }

    @tour.Step({ in: 'Booking', to: 'Booked', guarantee: 'at-most-once', ...external })
    async mail(context: Context): Promise<unknown> {
      return this.make('mail', context);
    }

    @tour.Step({ in: 'Packing', delay: 100, retry })
    async pack({ tx, key }: Context): Promise<void> {
      await note(tx, key, 'make', 'pack');
    }

    @tour.Compensate('pack', again)
    async unpack({ tx, key }: Undone): Promise<void> {
      await note(tx, key, 'undo', 'pack');
    }

    @(inSecond ? tour.Step({ in: 'Packing', deadline: '3s', ...external }) : nothing)
    async insure(context: Context): Promise<unknown> {
      return this.make('insure', context);
    }

    @(inSecond ? tour.Compensate('insure', again) : nothing)
    async cancelInsurance(context: Undone): Promise<void> {
      await this.undo('insure', context);
    }

    @tour.Step({ in: 'Packing', to: 'Shipped', noReturn: true, ...external })
    async ship(context: Context): Promise<unknown> {
      return this.make('ship', context);
    }

    @tour.Step({ in: 'Shipped', to: 'Delivered', retry })
    async thank({ tx, key }: Context): Promise<void> {
      await note(tx, key, 'make', 'thank');
    }

    private async make(what: string, context: Context): Promise<unknown> {
      const { outcome, receipt } = await this.ask(
        { act: 'make', what, key: context.idempotencyKey },
        context,
      );
      assertWell(outcome, what);
      return receipt;
    }

    private async undo(what: string, context: Undone): Promise<void> {
      const { outcome: told, undoneKey: key } = context;
      const { outcome } = await this.ask({ act: 'undo', what, key, told }, context);
      assertWell(outcome, what);
    }

    private async ask(wanted: Pick<Wanted, 'act' | 'what' | 'key' | 'told'>, { key: run, signal }: Context) {
      const body = JSON.stringify({ ...wanted, run, sentAtMs: Date.now() } satisfies Wanted);
      const response = await fetch(this.provider, { method: 'POST', body, signal });
      const outcome = outcomeOf(response.status);
      const { receipt } = outcome === 'well' ? ((await response.json()) as { receipt: string }) : {};
      return { outcome, receipt };
    }
  }
  return TourWorkflow;
}

export const TourOfVersion1 = tourOf(1);
export const TourOfVersion2 = tourOf(2);

function assertWell(outcome: ReturnType<typeof outcomeOf>, what: string): void {
  if (outcome === 'refused') throw new PermanentError(`${what} is refused`);
  if (outcome === 'busy') throw new NoEffectError(`${what} has to wait`);
  if (outcome !== 'well') throw new Error(`${what}: ${outcome}`);
}

async function note(tx: Context['tx'], key: string, act: 'make' | 'undo', what: string): Promise<void> {
  await tx.query('insert into app.effect (key, act, what) values ($1, $2, $3)', [key, act, what]);
}
