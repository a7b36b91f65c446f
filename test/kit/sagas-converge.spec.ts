import { MessageType } from '@pawl/messaging';
import { assertConverges, explore } from '@pawl/testing';
import { type CompensationContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'trip.asked', version: 1 })
class Asked {}

@MessageType({ name: 'trip.called-off', version: 1 })
class CalledOff {}

@MessageType({ name: 'trip.confirmed', version: 1 })
class Confirmed {}

interface Trip {
  nights: number;
}

const trip = workflow<Trip>()('trip', {
  version: 1,
  states: ['Booking', 'Booked', 'Confirmed', 'CalledOff'],
  final: ['Confirmed', 'CalledOff'],
});

@trip.Workflow()
class TripWorkflow {
  @trip.On(Asked, { start: true, to: 'Booking' })
  asked(data: Trip) {
    data.nights = 3;
  }

  @trip.Step({ in: 'Booking', effect: 'external', after: [] })
  async bookHotel() {
    return { room: '12' };
  }

  @trip.Compensate('bookHotel')
  async cancelHotel({ output }: CompensationContext<Trip, { room: string }>) {
    return output?.room;
  }

  @trip.Step({ in: 'Booking', effect: 'external', after: [] })
  async bookFlight() {
    return { seat: '4a' };
  }

  @trip.Compensate('bookFlight')
  async cancelFlight() {}

  @trip.Step({ in: 'Booking', to: 'Booked' })
  async charge() {}

  @trip.On(CalledOff, { in: ['Booking', 'Booked'], to: 'CalledOff', undo: true, competes: true })
  calledOff() {}

  @trip.On(Confirmed, { in: 'Booked', to: 'Confirmed' })
  confirmed() {}
}

it('steps side by side end the same, whichever returns first', () => {
  expect(assertConverges(TripWorkflow, [new Asked(), new Confirmed()])).toMatchObject({
    outcome: 'converges',
    ends: ['Confirmed, completed'],
  });
});

it('what was done is undone when a step gives up', () => {
  const found = assertConverges(TripWorkflow, [new Asked()], {
    failing: ['charge'],
    invariants: {
      'nothing is left booked': ({ status, outputs, undone }) =>
        status !== 'compensated' || Object.keys(outputs).length === undone.length,
    },
  });
  expect(found.ends).toEqual(['Booking, compensated']);
});

it('an event that undoes may come at any moment, and leaves nothing behind', () => {
  const found = assertConverges(TripWorkflow, [new Asked(), new CalledOff(), new Confirmed()], {
    invariants: {
      'nothing is left booked': ({ state, status, outputs, undone }) =>
        state !== 'CalledOff' ||
        status === 'compensating' ||
        Object.keys(outputs).filter((name) => name.startsWith('book')).length === undone.length,
    },
  });
  expect(found.ends).toEqual(['CalledOff, compensated', 'Confirmed, completed']);
});

it('tells what is undone, and when', () => {
  const { report } = explore(TripWorkflow, [new Asked()], {
    failing: ['charge'],
    invariants: { 'the hotel stays': ({ undone }) => !undone.includes('cancelHotel') || 'it was cancelled' },
  });
  expect(report.split('\n')).toEqual([
    '"the hotel stays" does not hold: it was cancelled',
    '  1. Asked arrives: applied, started, the run is in Booking',
    '  2. step bookFlight is done',
    '  3. step bookHotel is done',
    '  4. step charge gives up, the run is compensating',
    '  5. cancelHotel undoes bookHotel',
  ]);
});
