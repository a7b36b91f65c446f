import { Readiness } from './readiness.js';

describe('readiness', () => {
  it('has no obstacle while the database answers', async () => {
    expect(await new Readiness(async () => [1]).obstacle()).toBeUndefined();
  });

  it('names the database when it does not answer', async () => {
    const refused = new Readiness(async () => Promise.reject(new Error('ECONNREFUSED')));
    expect(await refused.obstacle()).toBe('PostgreSQL does not answer.');
  });

  it('does not wait for a database that is silent', async () => {
    const silent = new Readiness(async () => new Promise(() => undefined), 10);
    expect(await silent.obstacle()).toBe('PostgreSQL does not answer.');
  });

  it('ends when the service is told to stop', async () => {
    const stopping = new Readiness(async () => [1]);
    stopping.onModuleDestroy();
    expect(await stopping.obstacle()).toBe('The service is stopping.');
  });
});
