import { forkService, testDatabase, testKeysText } from '@pawl/testing';

const addresses = (url: string) => ({
  NODE_ENV: 'test',
  PORT: '0',
  DATABASE_URL: url,
  QUEUE_URL: url,
  BUS_URL: url,
  PAWL_MESSAGE_KEYS: testKeysText,
  PAYMENT_GATEWAY_URL: 'http://127.0.0.1:9',
});

describe.each(['orders', 'shipping'])('the %s service', (name) => {
  const entry = `apps/${name}/src/main.ts`;

  it('names every problem of its configuration and ends, before it touches a database', async () => {
    const service = forkService(entry, {
      env: { PORT: 'x', DATABASE_URL: 'mysql://db', PAWL_LEASE_MS: '1' },
    });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    for (const variable of [
      'PORT',
      'DATABASE_URL',
      'QUEUE_URL',
      'BUS_URL',
      'PAWL_LEASE_MS',
      'PAWL_MESSAGE_KEYS',
    ]) {
      expect(service.output).toContain(variable);
    }
    expect(service.output).not.toMatch(/\n\s+at /);
  });

  it('migrates an empty database, tells its port, answers, and ends orderly on SIGTERM', async () => {
    const database = await testDatabase({ empty: true });
    const service = forkService(entry, { env: addresses(database.url) });
    const { ready, port } = await service.ready<{ ready: boolean; port: number }>();
    expect(ready).toBe(true);
    expect(service.output).toMatch(/Configuration: .*"PAWL_CONCURRENCY":16/);
    expect(service.output).not.toContain(new URL(database.url).password);
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: 'live' });
    expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: 'ready' });
    const nowhere = await fetch(`${url}/nowhere`);
    expect([nowhere.status, nowhere.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
    service.kill('SIGTERM');
    service.kill('SIGINT');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    await database.drop();
  });

  it('refuses a database that is behind if it may not migrate, and says what is missing', async () => {
    const database = await testDatabase({ empty: true });
    const service = forkService(entry, { env: { ...addresses(database.url), PAWL_MIGRATE: 'never' } });
    expect((await service.exited).code).toBe(1);
    expect(service.output).toMatch(
      new RegExp(`pawl migrate[^]*pawl 0001-messaging is missing[^]*${name} 0001-${name} is missing`),
    );
    await database.drop();
  });
});
