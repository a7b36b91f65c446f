import { forkService } from './fork-service.js';

const ENTRY = 'libs/testing/src/fixtures/dying-service.ts';

it('runs a TypeScript entry as a process, and kills it', async () => {
  const service = forkService(ENTRY);
  expect(await service.ready()).toEqual({ up: true });
  service.kill('SIGKILL');
  expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(service.crashed()).toBe(false);
});

it('dies at the named crash point, at the named passage', async () => {
  const service = forkService(ENTRY, { crashPoint: 'after-answer:2' });
  await service.ready();
  for (let n = 0; n < 2; n++) {
    const answer = service.message();
    service.send({ n });
    expect(await answer).toBe('answered');
  }
  expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(service.crashed()).toBe(true);
});

it('says what a process printed that ended before it was ready', async () => {
  const service = forkService('libs/testing/src/fixtures/no-such-file.ts');
  await expect(service.ready()).rejects.toMatchObject({
    code: 'service_not_ready',
    message: expect.stringContaining('no-such-file') as string,
  });
});
