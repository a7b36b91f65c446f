// The process that the crash tests kill while it receives messages.
import { Archive, type ArchiveOptions } from './archive.js';

const archive = await Archive.open(JSON.parse(process.env['ARCHIVE_OPTIONS'] ?? '{}') as ArchiveOptions);
await archive.receive();

process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
