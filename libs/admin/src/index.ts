export { AdminModule, type AdminOptions } from './admin.module.js';
export { HealthModule } from './health.module.js';
