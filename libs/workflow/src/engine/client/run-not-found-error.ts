import { PawlError } from '@pawl/core';
import type { RunAddress } from '../../store/lock-runs.js';

/** No run of that workflow was started under that key (HTTP: 404). Events that came before a start are no run yet. */
export class RunNotFoundError extends PawlError {
  constructor({ workflow, key }: RunAddress) {
    super('run_not_found', `There is no run of ${workflow} with the key ${key}.`, { workflow, key });
  }
}
