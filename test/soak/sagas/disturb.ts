import { isTrouble } from '@pawl/core';
import type { TestEngine } from '@pawl/testing';
import { ControlRefusedError, type RunControl } from '@pawl/workflow';
import { setTimeout as pause } from 'node:timers/promises';
import { Dice } from '../../crash/dice.js';
import { hashOf } from './provider.js';
import {
  TourCalledOff,
  TourConfirmed,
  TourNoted,
  TourOfVersion1,
  TourOrdered,
  TourRebooked,
} from './tour.js';

export const BY = { actor: 'chance', reason: 'to see what follows' } as const;

type Order = (run: RunControl) => Promise<unknown>;

/** What people ask for, the harmless first. */
const ORDERS: readonly Order[] = [
  async (run) => run.pause(BY),
  async (run) => run.resume(BY),
  async (run) => run.resume(BY),
  async (run) => run.redrive(BY),
  async (run) => run.redrive({ ...BY, data: { remark: 'again' } }),
  async (run) => run.redrive({ ...BY, step: 'mail' }),
  async (run) => run.skip(BY),
  async (run) => run.cancel(BY),
  async (run) => run.terminate(BY),
];
const HARMLESS = 6;

const MOMENTS = 10;
const NOTES = ['a', 'b', 'c'] as const;

/** Plays one run: its start, events twice and in any order, and orders of people in between; all by a seed of its own. */
export class Disturbance {
  private readonly dice: Dice;

  constructor(
    private readonly engine: Pick<TestEngine, 'client' | 'runtime'>,
    readonly key: string,
    seed: number,
  ) {
    this.dice = new Dice(hashOf(`${seed} ${key}`));
  }

  async play(): Promise<void> {
    const { client, runtime } = this.engine;
    const ordered = new TourOrdered(this.dice.between(0, 6));
    await pause(this.dice.between(0, 1_000));
    await patiently(async () => client.start(TourOfVersion1, this.key, ordered));
    const run = runtime.control.of(TourOfVersion1, this.key);
    for (let n = 0; n < MOMENTS; n++) {
      await pause(this.dice.between(20, 500));
      await (this.dice.between(0, 3) === 0 ? this.order(run) : this.tell());
    }
  }

  private async tell(): Promise<void> {
    const event = this.event();
    const times = this.dice.between(1, 3);
    const told = Array.from({ length: times }, async () =>
      patiently(async () => this.engine.client.deliver(TourOfVersion1, this.key, event)),
    );
    await Promise.all(told);
  }

  private event(): object {
    const chance = this.dice.between(0, 24);
    if (chance === 0) return new TourCalledOff();
    if (chance === 1) return new TourRebooked();
    if (chance < 12) return new TourConfirmed();
    return new TourNoted(NOTES[this.dice.between(0, NOTES.length)] ?? '');
  }

  private async order(run: RunControl): Promise<void> {
    const most = this.dice.between(0, 4) === 0 ? ORDERS.length : HARMLESS;
    const order = ORDERS[this.dice.between(0, most)];
    await patiently(async () => unlessRefused(order?.(run)));
  }
}

/** Asks again while the database says that somebody else is busy with the run. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      await pause(20);
    }
  }
}

/** That it can not be done is an answer as well. */
export async function unlessRefused(asked: Promise<unknown> | undefined): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof ControlRefusedError)) throw error;
  }
}
