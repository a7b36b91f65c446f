export { readConfig } from './read-config.js';
export type { Environment } from './read-config.js';
export { redactedConfig } from './redacted-config.js';
export { migratesAtBoot, ordersVariables, serviceVariables } from './service-variables.js';
export type { OrdersConfig, ServiceConfig } from './service-variables.js';
export { address, oneOf, text, wholeNumber } from './variable.js';
export type { Config, Variable, Variables } from './variable.js';
