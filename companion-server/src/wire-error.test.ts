import { expect, test } from 'vitest';
import { FieldError } from '../../protocol/fields.ts';
import { fromWireError } from '../../protocol/messages/wire-error.ts';
import { EditError } from './errors.ts';
import { toClientError, toWireError } from './wire-error.ts';
import { nameFiles } from './without-paths.ts';

test('an EditError survives the crossing', () => {
  const error = new EditError('out-of-memory', 'Too large.', { hint: 'Use a smaller size.' });
  const wire = toWireError(error);
  expect(wire).toEqual({
    code: 'out-of-memory',
    message: 'Too large.',
    hint: 'Use a smaller size.',
  });
  expect(fromWireError(wire)).toMatchObject({ code: error.code, message: error.message });
});

test('a refused field keeps its code and sentence', () => {
  expect(toWireError(new FieldError('message.x', 'must be a text, got null.'))).toEqual({
    code: 'invalid-request',
    message: 'message.x must be a text, got null.',
  });
});

test('a full disk is told from other failures of the system', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  expect(toWireError(error)).toMatchObject({ code: 'disk-full' });
});

test.each([new TypeError('x is undefined'), 'a text', null, undefined])(
  'what is not known becomes internal: %s',
  (error) => expect(toWireError(error)).toMatchObject({ code: 'internal' }),
);

test.each([
  ["ENOENT: no such file or directory, open '/home/ana maria/data/clips/x.mov'", "open 'x.mov'"],
  ['EACCES: permission denied, mkdir "/srv/data/jobs/"', 'mkdir "jobs"'],
  ["/var/lib/tokenflow/jobs/a/edit.latents can't grow", "edit.latents can't grow"],
  ['It is in C:\\Users\\Ana\\data\\clips\\x.mov.', 'It is in x.mov.'],
  ['No file "file:///srv/data/x.mov" there', 'No file "x.mov" there'],
  ["EPERM: unlink '\\\\server\\share\\x.mov'", "unlink 'x.mov'"],
  ['See https://ffmpeg.org/download.html and docs/gpu.md', 'See https://ffmpeg.org/download.html and docs/gpu.md'],
  ['one of 1/2 or 3/4 frames', 'one of 1/2 or 3/4 frames'],
])('a client hears no absolute path: %s', (message, told) => {
  const wire = toClientError(new EditError('internal', message, { hint: message }));
  expect(wire.message).toContain(told);
  expect(wire.hint).toBe(wire.message);
  expect(wire.message).not.toMatch(/\/(home|srv|var)|C:|share/);
});

test('a client hears what its files are called, also within folders that have a name; the log has the paths', () => {
  const text = '"/data/clips/x.mov" and /data/jobs/1/edit, file:/data/clips/x.mov, /etc/other';
  const error = new EditError('clip-unreadable', text, { hint: 'Look into /data.' });
  expect(nameFiles(error, { 'the clip': '/data/clips/x.mov' })).toBe(error);
  nameFiles(error, { 'the data folder': '/data' });
  expect(toClientError(error)).toEqual({
    code: 'clip-unreadable',
    message: 'the clip and the data folder/jobs/1/edit, the clip, other',
    hint: 'Look into the data folder.',
  });
  expect(error.message).toBe(text);
});

test('what is no failure of ours is named by nobody', () => {
  const fault = new TypeError('x is undefined');
  expect(nameFiles(fault, { 'the clip': '/x' })).toBe(fault);
});
