import { startTestEngine, until } from '@pawl/testing';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from '../engine/small-order.js';

const given = process.env['PAWL_TEST_POSTGRES_URL'];

beforeAll(() => void delete process.env['PAWL_TEST_POSTGRES_URL']);
afterAll(() => void (process.env['PAWL_TEST_POSTGRES_URL'] = given ?? ''));

it('starts a server where the test run has none, and works by itself if it is told to', async () => {
  const workflows = [new SmallOrderWorkflow({ charge: async () => 'receipt' })];
  const engine = await startTestEngine({ workflows, schema: EFFECTS, start: true, clock: false });
  try {
    expect(new URL(engine.databaseUrl).port).not.toBe(new URL(given ?? '').port);
    await engine.client.start(SmallOrderWorkflow, 'a-1', new Submitted('Ada'));
    await engine.client.deliver(SmallOrderWorkflow, 'a-1', new ItemAdded(0, 'tea'));
    await engine.client.deliver(SmallOrderWorkflow, 'a-1', new Accepted(1));
    await until(
      async () => (await engine.client.runOf(SmallOrderWorkflow, 'a-1'))?.state === 'AwaitingShipment',
    );
    expect(() => engine.clock).toThrow('clock: false');
  } finally {
    await engine.stop();
  }
});
