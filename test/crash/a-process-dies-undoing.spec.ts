import { jest } from '@jest/globals';
import { Slots } from '@pawl/core';
import { JourneyStage } from './journey-stage.js';

jest.setTimeout(90_000);

/** Stories that mostly wait: for a lease, or until a call can have no effect any more. */
const AT_ONCE = 3;

/** Each booking once, and undone once, in reverse order, under the key that it was made with. */
async function expectUndone(stage: JourneyStage): Promise<void> {
  const effects = stage.effects();
  expect(effects.map(([what]) => what)).toEqual(['flight', 'mail', 'car', 'cancelCar', 'cancelFlight']);
  const [flight, , car, cancelCar, cancelFlight] = effects.map(([, key]) => key);
  expect({ cancelCar, cancelFlight }).toEqual({ cancelCar: car, cancelFlight: flight });
  expect(await stage.inTheDatabase()).toEqual(['hotel', 'cancelHotel room 7']);
  expect(await stage.losses()).toEqual([]);
}

const undoing = (crashPoint: string) => async (stage: JourneyStage) => {
  await stage.begin(crashPoint);
  await stage.comesTo('waiting', 'Booked');
  await stage.callOff();
  await stage.succeed('compensated', 'CalledOff');
  await expectUndone(stage);
};

const mailing = (crashPoint: string, sent: number) => async (stage: JourneyStage) => {
  await stage.begin(crashPoint);
  await stage.succeed('waiting', 'Booked');
  expect(stage.effects({ all: true }).filter(([what]) => what === 'mail')).toHaveLength(sent);
  expect(await stage.losses()).toEqual([{ subject: 'mail', reason: 'unknown' }]);
};

const asking = (crashPoint: string, how: 'cut off' | 'unsent') => async (stage: JourneyStage) => {
  await stage.begin(crashPoint, how);
  await stage.succeed('waiting', 'Booked');
  expect(stage.effects({ all: true }).filter(([what]) => what === 'car')).toHaveLength(1);
};

const stories: Record<string, (stage: JourneyStage) => Promise<void>> = {
  // The fourth call outside is the first that undoes.
  'in a compensation, behind its effect: it is called again under its key':
    undoing('external.after-effect:4'),
  'behind a compensation: the others follow': undoing('undo.after-commit:1'),
  'before a transactional compensation is committed: it is done once': undoing('undo.before-commit:2'),
  'with everything undone: the run ends': undoing('undo.before-end'),
  'in a call, and the run is called off: it is asked about, and undone': async (stage) => {
    await stage.begin('external.after-effect:3');
    await stage.succeed('compensated', 'CalledOff', () => stage.callOff());
    await expectUndone(stage);
  },
  'between an answer and its record: it is asked again, and nothing is booked again': asking(
    'confirm.after-answer',
    'cut off',
  ),
  'behind a no that is on record: the attempt is made': asking('confirm.after-commit', 'unsent'),
  'before a mail: it is not sent, and the ledger says so': mailing('external.after-intent:2', 0),
  'behind a mail: it is not sent again, and the ledger says so': mailing('external.after-effect:2', 1),
};

describe('A process dies', () => {
  const slots = new Slots(AT_ONCE);
  const played = new Map<string, Promise<void>>();

  beforeAll(() => {
    for (const [what, story] of Object.entries(stories)) {
      const one = slots.acquire().then((giveBack) => JourneyStage.play(story).finally(giveBack));
      // Reported by its own test.
      one.catch(() => undefined);
      played.set(what, one);
    }
  });

  it.each(Object.keys(stories))('%s', async (what) => played.get(what));
});
