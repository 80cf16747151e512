import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EditError } from '../errors.ts';
import { explainingDisk, isFullDisk, toDiskError } from './disk-error.ts';

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const systemError = (code: string): Error => Object.assign(new Error(`${code}: the system's words`), { code });

test.each([
  ['ENOSPC', 'disk-full', 'the disk is full'],
  ['EDQUOT', 'disk-full', "this user's quota of the disk is full"],
  ['EROFS', 'output-unwritable', 'the disk is read-only'],
  ['EACCES', 'output-unwritable', 'there is no permission to write there'],
  ['EPERM', 'output-unwritable', 'there is no permission to write there'],
  ['EBUSY', 'output-unwritable', 'another program has it open'],
  ['EFBIG', 'output-unwritable', 'the disk takes no file of that size'],
  ['EIO', 'output-unwritable', 'the disk reports a fault (EIO)'],
  ['EMFILE', 'limit-reached', 'too many files are open on this machine'],
  ['ENFILE', 'limit-reached', 'too many files are open on this machine'],
])('%s is the error %s with its reason', (code, expected, reason) => {
  const cause = systemError(code);
  expect(toDiskError(cause, '/data/a.mov', {})).toMatchObject({
    code: expected,
    message: `Cannot write "/data/a.mov": ${reason}.`,
    hint: expect.stringMatching(/\.$/) as string,
    cause,
  });
});

test('the three refusals that need no other user are told from what the system really says', async () => {
  const folder = await createFolder();
  await writeFile(join(folder, 'file'), '');
  const refusal = (path: string) =>
    explainingDisk(path, {}, () => open(path, 'w')).then(
      () => 'none',
      (error: unknown) => (error as Error).message.replace(/^.*": /, ''),
    );
  expect(await refusal(join(folder, 'none', 'a'))).toBe('its folder does not exist.');
  expect(await refusal(join(folder, 'a'.repeat(300)))).toBe('its name is too long.');
  expect(await refusal(folder)).toBe('it is a folder.');
  // Windows says that there is no such folder.
  if (process.platform !== 'win32') expect(await refusal(join(folder, 'file', 'a'))).toBe('its folder is a file.');
});

test('what to do is said by whoever writes, unless it is the same for every file', () => {
  const advice = { what: 'The copy cannot be kept', whenFull: 'Empty the cache.', whenRefused: 'Move the cache.' };
  const explained = (code: string) => toDiskError(systemError(code), 'a', advice) as EditError;
  expect(explained('ENOSPC').hint).toBe('Empty the cache.');
  expect(explained('EROFS').hint).toBe('Move the cache.');
  expect(explained('EMFILE').hint).toBe('Try again in a moment, or close other programs there.');
  expect(explained('ENOSPC').message).toBe('The copy cannot be kept: the disk is full.');
});

test('a system error that no table has is told in the words of the system', () => {
  const stale = Object.assign(new Error('ESTALE: stale file handle, write'), { code: 'ESTALE', syscall: 'write' });
  expect(toDiskError(stale, 'a', {})).toMatchObject({
    code: 'output-unwritable',
    message: 'Cannot write "a": ESTALE: stale file handle, write.',
  });
});

test('what is no failure of the disk stays as it is', async () => {
  const file = await open(join(await createFolder(), 'file'), 'w');
  await file.close();
  const closed: unknown = await file.write('x').catch((error: unknown) => error);
  for (const error of [
    closed,
    new EditError('model-missing', 'None.'),
    new TypeError('x is undefined'),
    'a text',
    null,
  ]) {
    expect(toDiskError(error, 'a', {})).toBe(error);
  }
});

test('a full disk is recognized before and after it was explained, and in the database', () => {
  const full = systemError('ENOSPC');
  for (const error of [full, systemError('EDQUOT'), systemError('SQLITE_FULL'), toDiskError(full, 'a', {})]) {
    expect(isFullDisk(error)).toBe(true);
  }
  for (const error of [systemError('EROFS'), systemError('constructor'), null, undefined, 'ENOSPC']) {
    expect(isFullDisk(error)).toBe(false);
  }
});
