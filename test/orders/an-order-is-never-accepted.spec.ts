import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@pawl/testing';
import { OrdersService } from './orders-service.js';

describe.each(['SUBMITTED_TIMEOUT', 'SUBMITTED_TIMEOUT_FILE'])(
  'an order that is never accepted (%s)',
  (name) => {
    let orders: OrdersService;
    const directory = mkdtempSync(join(tmpdir(), 'pawl-timeout-'));

    beforeAll(async () => {
      const file = join(directory, 'timeout');
      writeFileSync(file, '100ms\n');
      orders = await OrdersService.start({ env: { [name]: name.endsWith('_FILE') ? file : '100ms' } });
    });

    afterAll(async () => {
      rmSync(directory, { recursive: true });
      await orders?.stop();
    });

    it('is cancelled after its time, and refuses the acceptance with 409', async () => {
      await orders.post('/orders', { orderId: 'c-1', customer: 'ALFKI' });
      await until(async () => (await orders.get('/orders/c-1')).body['state'] === 'Cancelled');
      const late = await orders.post('/orders/c-1/accept', { itemCount: 1 });
      expect(late).toMatchObject({
        status: 409,
        body: { verdict: 'late', rule: 'never-applied', state: 'Cancelled' },
      });
      expect(await orders.rows('select type, run_key from pawl.loss')).toEqual([
        { type: 'order.accepted', run_key: 'c-1' },
      ]);
    });
  },
);
