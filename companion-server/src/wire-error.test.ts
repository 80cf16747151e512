import { expect, test } from 'vitest';
import { FieldError } from '../../protocol/fields.ts';
import { EditError } from './errors.ts';
import { fromWireError, toWireError } from './wire-error.ts';

test('an EditError survives the crossing', () => {
  const error = new EditError('out-of-memory', 'Too large.', { hint: 'Use a smaller size.' });
  const wire = toWireError(error);
  expect(wire).toEqual({
    code: 'out-of-memory',
    message: 'Too large.',
    hint: 'Use a smaller size.',
    retryable: true,
  });
  expect(fromWireError(wire)).toMatchObject({ code: error.code, message: error.message });
});

test('a refused field keeps its code and sentence', () => {
  expect(toWireError(new FieldError('message.x', 'must be a text, got null.'))).toEqual({
    code: 'invalid-request',
    message: 'message.x must be a text, got null.',
    retryable: false,
  });
});

test('a full disk is told from other failures of the system', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  expect(toWireError(error)).toMatchObject({ code: 'disk-full', retryable: true });
});

test.each([new TypeError('x is undefined'), 'a text', null, undefined])(
  'what is not known becomes internal: %s',
  (error) => expect(toWireError(error)).toMatchObject({ code: 'internal', retryable: false }),
);
