import type { Duration } from '@pawl/workflow';

/**
 * After what time an order that was never accepted is cancelled. Decorators are evaluated when the class is loaded, before anything can be
 * injected, so it is read from the environment here; `main.ts` has put the checked value there by then.
 */
export const submittedTimeout = (process.env['SUBMITTED_TIMEOUT'] || '30m') as Duration;
