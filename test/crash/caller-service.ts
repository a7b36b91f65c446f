// The process that the crash tests kill while it calls the handler of a message, in no transaction, or redrives a dead letter.
import type { Envelope } from '@pawl/messaging';
import { RecordingTransport, testService } from '../messaging/service-pair.js';
import { calling } from './calling.js';

const [url = '', ledger = '', what = ''] = process.argv.slice(2);
const database = { url, name: '', drop: async () => undefined };
const service = await testService({ name: 'shipping', bus: new RecordingTransport(), database });
service.runtime.consumers.register(['orders.noted'], calling(ledger));

process.on('message', (envelopes: Envelope[]) => void service.runtime.inbox.accept(envelopes));
process.once('disconnect', () => process.exit());
process.send?.('ready');
if (what === 'redrive') await service.runtime.redriver.pass();
