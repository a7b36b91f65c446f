import { PawlError } from '@pawl/core';

/** The time for all attempts at a step is up: no further one is made. An attempt that it interrupts is in doubt, if its effect is elsewhere. */
export class StepDeadlineError extends PawlError {
  constructor(name: string, attempts: number) {
    super('step_deadline', `The time for all attempts at ${name} is up, after ${attempts}.`, {
      step: name,
      attempts,
    });
  }
}
