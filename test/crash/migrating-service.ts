// The process that the crash tests kill while it migrates runs.
import { startEngine } from '../engine/engine-stage.js';
import { PermitOfVersion2, permits } from './permit-workflows.js';

const url = process.env['MIGRATING_URL'] ?? '';
const { runtime } = await startEngine({ workflows: permits, url, options: { work: false } });
process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
await runtime.versions.migrate(PermitOfVersion2, { from: 1, actor: 'ann', reason: 'fees' });
