import { PawlError } from '@pawl/core';
import type { ControlRefusal, RefusalCode } from '../../machine/control/control-order.js';
import type { Run } from '../../model/run.js';

/** A run can not do what a person has asked of it; nothing was changed, and that it was asked is kept (HTTP: 409). */
export class ControlRefusedError extends PawlError {
  declare readonly details: {
    readonly code: RefusalCode;
    readonly reason: string;
    readonly status: Run['status'];
    readonly state: string | null;
  };

  constructor(
    { code, reason }: Pick<ControlRefusal, 'code' | 'reason'>,
    { status, state }: Pick<Run, 'status' | 'state'>,
  ) {
    super('control_refused', `${reason} (${code})`, { code, reason, status, state });
  }
}
