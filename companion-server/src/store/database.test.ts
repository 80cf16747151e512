import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { holdDatabase } from '../../../test/faults/database-holder.ts';
import { lockFile, openDatabase } from './database.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenflow-database-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const notes = { module: 'notes', steps: ['CREATE TABLE notes (text TEXT NOT NULL) STRICT'] };

test('keeps rows between two openings and syncs every commit', () => {
  const path = join(folder, 'deep', 'tokenflow.db');
  const first = openDatabase(path, [notes]);
  expect(first.run('INSERT INTO notes VALUES (?)', 'kept')).toBe(1);
  expect(first.get('PRAGMA synchronous')).toMatchObject({ synchronous: 2 });
  expect(first.get('PRAGMA journal_mode')).toMatchObject({ journal_mode: 'wal' });
  first.close();
  const second = openDatabase(path, [notes]);
  expect(second.all('SELECT text FROM notes')).toEqual([{ text: 'kept' }]);
  second.close();
});

test('a transaction that throws changes nothing', () => {
  const database = openDatabase(':memory:', [notes]);
  const fail = (): never => {
    database.run('INSERT INTO notes VALUES (?)', 'lost');
    throw new Error('half-way');
  };
  expect(() => database.transaction(fail)).toThrow('half-way');
  expect(database.get('SELECT text FROM notes')).toBeUndefined();
  database.close();
});

test('a transaction for which the disk is too small says so, and changes nothing', () => {
  const database = openDatabase(':memory:', [notes]);
  database.all('PRAGMA max_page_count = 100');
  const fill = (): void => {
    for (let i = 0; i < 20; i++) database.run('INSERT INTO notes VALUES (?)', 'x'.repeat(100_000));
  };
  expect(() => database.transaction(fill)).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }) as Error);
  expect(database.get('SELECT text FROM notes')).toBeUndefined();
  expect(database.transaction(() => 'goes on')).toBe('goes on');
  database.close();
});

test('a change that another process holds up fails after a moment, and leaves nothing in the way of the next ones', async () => {
  const path = join(folder, 'tokenflow.db');
  const database = openDatabase(path, [notes]);
  onTestFinished(() => database.close());
  database.run('INSERT INTO notes VALUES (?)', 'before');
  const letGo = await holdDatabase(path);
  const busy = expect.objectContaining({ code: 'SQLITE_BUSY' }) as Error;
  expect(() => database.run('INSERT INTO notes VALUES (?)', 'held up')).toThrow(busy);
  expect(() => database.transaction(() => undefined)).toThrow(busy);
  expect(database.all('SELECT text FROM notes')).toEqual([{ text: 'before' }]);
  await letGo();
  database.transaction(() => database.run('DELETE FROM notes'));
  expect(database.run('UPDATE notes SET text = ?', 'x')).toBe(0);
});

test('runs only the migrations that are missing, and refuses a newer database', () => {
  const path = join(folder, 'tokenflow.db');
  const newer = { module: 'notes', steps: [...notes.steps, 'ALTER TABLE notes ADD colour TEXT'] };
  openDatabase(path, [notes]).close();
  const upgraded = openDatabase(path, [newer]);
  upgraded.run('INSERT INTO notes VALUES (?, ?)', 'a', 'red');
  upgraded.close();
  expect(() => openDatabase(path, [notes])).toThrow(/version 2 of notes/);
});

test('a file that is no database is refused by its path', async () => {
  const path = join(folder, 'tokenflow.db');
  await writeFile(path, 'this is a text of more than one hundred bytes, and no database at all: '.repeat(20));
  expect(() => openDatabase(path, [notes])).toThrow(path);
});

test('a single parameter may be a blob or null', () => {
  const blobs = { module: 'blobs', steps: ['CREATE TABLE blobs (bytes BLOB) STRICT'] };
  const database = openDatabase(':memory:', [blobs]);
  database.run('INSERT INTO blobs VALUES (?)', Buffer.from([1, 2]));
  database.run('INSERT INTO blobs VALUES (?)', null);
  const found = database.all('SELECT bytes FROM blobs WHERE bytes = ?', Uint8Array.of(1, 2));
  expect(found.map(({ bytes }) => [...(bytes as Uint8Array)])).toEqual([[1, 2]]);
  expect(database.all('SELECT bytes FROM blobs WHERE bytes IS ?', null)).toHaveLength(1);
  database.close();
});

test('a lock is held by one, until it is released', () => {
  const path = join(folder, 'data', 'lock');
  const release = lockFile(path, 'It is taken.', 'Wait.');
  expect(() => lockFile(path, 'It is taken.', 'Wait.')).toThrow('It is taken.');
  release();
  lockFile(path, 'It is taken.', 'Wait.')();
});

test('the lock of a process that was killed is free at once', async () => {
  const path = join(folder, 'lock');
  const module = JSON.stringify(new URL('./database.ts', import.meta.url).href);
  const holder = spawn(
    process.execPath,
    [
      ...['--import', import.meta.resolve('tsx'), '--input-type=module', '-e'],
      `const { lockFile } = await import(${module});
       lockFile(${JSON.stringify(path)}, 'taken', '');
       console.log('held');
       setInterval(() => undefined, 60_000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  expect(() => lockFile(path, 'It is taken.', 'Wait.')).toThrow('It is taken.');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockFile(path, 'It is taken.', 'Wait.')();
});
