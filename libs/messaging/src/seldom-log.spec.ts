import { Logger } from '@nestjs/common';
import { PawlError } from '@pawl/core';
import { SeldomLog } from './seldom-log.js';

it('logs an error of one kind once, and each kind', () => {
  const lines: string[] = [];
  class Recording extends Logger {
    override warn(line: string): void {
      lines.push(line);
    }
  }
  const log = new SeldomLog(new Recording());
  for (let n = 0; n < 5; n++) log.warn('Relay', new PawlError('gone', `away ${n}`));
  log.warn('Relay', new PawlError('busy', 'locked'));
  log.warn('Inbox', new PawlError('gone', 'away'));
  expect(lines).toEqual(['Relay: away 0', 'Relay: locked', 'Inbox: away']);
});
