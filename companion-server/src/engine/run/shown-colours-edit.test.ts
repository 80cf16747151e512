// Whole edits of a clip whose codes a model cannot take for colours: what it is shown goes through the edit, and the result
// is in the clip's own codes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { lookupTableClip } from '../../../../protocol/lookup-table.ts';
import { decodePlanes } from '../../media/decode/frames.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { collect, makeClip } from '../../media/testing/clips.ts';
import { logTable } from '../../media/testing/lookup-tables.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
let lookupTablePath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-shown-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  const picture = `nullsrc=size=96x64:rate=25,format=yuv420p10le,geq=lum='180+3*X+N':cb='480+Y':cr='540-Y'`;
  inputPath = await makeClip(path.join(dir, 'pq.mkv'), [
    ...['-f', 'lavfi', '-i', `${picture},setparams=range=tv:color_primaries=9:color_trc=16:colorspace=9`],
    ...['-frames:v', '3', '-c:v', 'ffv1', '-color_primaries', '9', '-color_trc', '16', '-colorspace', '9'],
  ]);
  lookupTablePath = path.join(dir, 'table.y4m');
  await writeFile(lookupTablePath, lookupTableClip(logTable(3, 17)));
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

async function edit(name: string, settings: Partial<EditSettings>) {
  const job = tinyJob({ dir, modelDir, inputPath }, name, { codec: 'ffv1', sound: 'none', seed: 1, ...settings });
  const outputPath = path.join(dir, `${name}.mkv`);
  const { report } = await runTinyEdit({ ...job, outputPath, lookupTablePath });
  const result = await probeClip(outputPath);
  return { notices: report.notices.join('\n'), result, frames: await collect(decodePlanes(result)) };
}

test('an edit sees PQ tone-mapped, as it is stored, or through a table, as it was asked to, and writes PQ', async () => {
  const [auto, off, table] = [
    await edit('auto', {}),
    await edit('off', { modelColour: 'off' }),
    await edit('table', { modelColour: 'table', lookupTable: { sha256: '7'.repeat(64) } }),
  ];
  for (const { result } of [auto, off, table]) {
    expect(result).toMatchObject({ frameCount: 3, bitDepth: 10, frameSize: { width: 96, height: 64 } });
    expect(result.colour).toMatchObject({ transfer: 'smpte2084', primaries: 'bt2020', matrix: 'bt2020nc' });
  }
  expect(auto.notices).toContain('tone-mapped');
  expect(off.notices).not.toContain('The model was shown');
  expect(table.notices).toContain('through the lookup table');
  // Three ways to see a clip are three edits of it.
  expect(auto.frames).not.toEqual(off.frames);
  expect(table.frames).not.toEqual(off.frames);
  expect(table.frames).not.toEqual(auto.frames);
});
