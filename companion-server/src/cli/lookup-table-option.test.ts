import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableLimits } from '../../../protocol/lookup-table.ts';
import { sha256OfFile } from '../files/sha256.ts';
import { readLookupTable } from '../media/read-lookup-table.ts';
import { makeClip, makeFolder, testPicture } from '../media/testing/clips.ts';
import { cubeText, logTable } from '../media/testing/lookup-tables.ts';
import { readEditRequest, editOptions } from './edit-options.ts';
import { readLookupTableFile, readLookupTableOption } from './lookup-table-option.ts';
import { parseArguments } from './options.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());
const at = (name: string): string => path.join(folder.path, name);
const read = (file: string | undefined) => readLookupTableOption(file, () => Promise.resolve(folder.path));

test.each([
  ['a curve', logTable(1, 1_024)],
  ['a cube', logTable(3, 33)],
])('%s of a file goes to the server as a clip, and is the same table there', async (_, table) => {
  await writeFile(at('log.cube'), cubeText(table));
  const sent = await read(at('log.cube'));
  if (sent === null) throw new Error('There is no table.');
  expect(sent.lookupTable.sha256).toBe(await sha256OfFile(sent.path));
  const received = await readLookupTable(sent.path, sent.lookupTable.sha256);
  expect(received).toMatchObject({ dimensions: table.dimensions, size: table.size });
  for (const [i, value] of table.samples.entries()) {
    if (Math.abs((received.samples[i] ?? -1) - value) > 1e-4) expect(received.samples[i]).toBeCloseTo(value, 4);
  }
  expect(await readLookupTableFile(at('log.cube'))).toMatchObject({ sha256: sent.lookupTable.sha256 });
});

test('no option is no table, and a file that is none is told by what is wrong in it', async () => {
  expect(await read(undefined)).toBeNull();
  await expect(read(at('missing.cube'))).rejects.toThrow('--lut names a file that cannot be read');
  await writeFile(at('bad.cube'), 'LUT_3D_SIZE 2\n0 0 0\n');
  await expect(read(at('bad.cube'))).rejects.toThrow("The lookup table 'bad.cube' must have 8 colours, it has 1.");
  await writeFile(at('huge.cube'), '');
  await truncate(at('huge.cube'), tableLimits.characters + 1);
  await expect(read(at('huge.cube'))).rejects.toThrow(`--lut may name a file of ${tableLimits.characters} bytes`);
});

test('a clip that is no table is refused as one', async () => {
  const clip = await makeClip(at('clip.mkv'), [...testPicture('64x48', '10', 1), '-c:v', 'ffv1']);
  await expect(readLookupTable(clip, '0'.repeat(64))).rejects.toThrow('The clip that was sent as a lookup table');
});

test('a table and another way to show the clip exclude each other', () => {
  const { values } = parseArguments(['--prompt', 'x', '--lut', 'log.cube', '--model-colour', 'off'], editOptions);
  expect(() => readEditRequest(values, ['clip.mov'])).toThrow('--lut cannot be used together with --model-colour.');
});
