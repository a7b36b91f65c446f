import { isDeclaredRefusal, NoEffectError } from './no-effect-error.js';
import { PermanentError } from './permanent-error.js';

it.each([
  ['a refused connection', new NoEffectError('ECONNREFUSED'), true],
  ['a declined card', new PermanentError('declined'), true],
  ['the error of another copy of the package', { code: 'no_effect', message: '429' }, true],
  ['no use in trying again, and no word of the effect', new PermanentError('gone', { inDoubt: true }), false],
  ['any other error', new Error('connection reset'), false],
  ['what is no error', 'no_effect', false],
  ['nothing', undefined, false],
])('%s says that there was no effect, or not', (_, error, said) => {
  expect(isDeclaredRefusal(error)).toBe(said);
});
