export { run } from './run.js';
export type { Output } from './run.js';
