// The process that the crash tests kill while it calls the handler of a message, in no transaction, or redrives a dead letter.
import type { Envelope } from '@pawl/messaging';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import { Noted, RecordingTransport, testService } from '../messaging/service-pair.js';

const [url = '', ledger = ''] = process.argv.slice(2);
const limits = { attemptsMax: 3, handlerTimeoutMs: 200, callTimeoutMs: 200 };
const database = { url, name: '', drop: async () => undefined };
const service = await testService({ name: 'shipping', bus: new RecordingTransport(), database, limits });
const call = async (data: unknown): Promise<void> => {
  const body = JSON.stringify({ key: String((data as Noted).n), idempotencyKey: '' });
  await fetch(ledger, { method: 'POST', body });
};
service.runtime.consumers.register(
  ['orders.noted'],
  new HandlerConsumer('Caller.noted', Noted, call, 5_000, 5_000),
);

process.on('message', (envelopes: Envelope[]) => {
  void service.runtime.inbox.accept(envelopes).then((outcomes) => process.send?.(outcomes));
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
if (process.argv[4] === 'redrive') await service.runtime.redriver.pass();
