import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testMedia } from '../../../test/fixtures/media.ts';
import { openDatabase, type Database, type Migrations } from '../store/database.ts';
import { createClipRecords } from './clip-records.ts';
import { createClipTable } from './clip-table.ts';
import { clipTables } from './tables.ts';

const owner = 'a'.repeat(32);
const clipId = 'c'.repeat(32);
const clip = { clipId, sha256: 'c'.repeat(64), sizeBytes: 3, fileName: `${clipId}.mov`, media: testMedia };

async function createFolder() {
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-records-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const failures: unknown[] = [];
  const open = (tables: Migrations = clipTables): Database => {
    const database = openDatabase(join(dataDir, 'tokenflow.db'), [tables]);
    onTestFinished(() => database.close());
    return database;
  };
  const recordsIn = (database: Database) =>
    createClipRecords({ database, dataDir, onFailure: (error) => failures.push(error) });
  return { path: join(dataDir, 'clips', clip.fileName), dataDir, open, recordsIn, failures };
}

test('what was written of a clip is there after a restart, and goes with the clip', async () => {
  const { path, open, recordsIn } = await createFolder();
  const first = open();
  createClipTable(first).add(owner, clip, 0);
  const records = recordsIn(first);
  expect(records.read(path)).toBeNull();
  for (const text of ['older', 'newer']) expect(records.write(path, () => text)).toBe(true);
  const next = open();
  expect(recordsIn(next).read(path)).toBe('newer');
  createClipTable(next).release(owner, clipId);
  createClipTable(next).add(owner, clip, 0);
  expect(recordsIn(next).read(path)).toBeNull();
});

test('of a file that is no clip nothing is written, and nobody is asked for it', async () => {
  const { path, dataDir, open, recordsIn } = await createFolder();
  const database = open();
  const records = recordsIn(database);
  const unasked = (): string => {
    throw new Error('The text was asked for.');
  };
  expect(records.write(path, unasked)).toBe(false);
  createClipTable(database).add(owner, clip, 0);
  expect(records.write(join(dataDir, 'uploads', clip.fileName), unasked)).toBe(false);
});

test('a database that was made before there were records takes them', async () => {
  const { path, open, recordsIn } = await createFolder();
  const before = open({ ...clipTables, steps: clipTables.steps.slice(0, 1) });
  createClipTable(before).add(owner, clip, 0);
  before.close();
  const records = recordsIn(open());
  expect(records.write(path, () => 'found')).toBe(true);
  expect(records.read(path)).toBe('found');
});

test('a record that cannot be written or read is told, and is no failure of whoever asks', async () => {
  const { path, open, recordsIn, failures } = await createFolder();
  const database = open();
  createClipTable(database).add(owner, clip, 0);
  const records = recordsIn(database);
  database.run('DROP TABLE clip_records');
  expect(records.write(path, () => 'found')).toBe(true);
  expect(records.read(path)).toBeNull();
  expect(failures).toHaveLength(2);
});
