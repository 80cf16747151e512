// What leaves a whole edit: samples, timecode, transparency, the mark of AI.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { decodePlanes } from '../../media/decode/frames.ts';
import { digitalSourceType } from '../../media/encode/provenance.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { collect, makeClip } from '../../media/testing/clips.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-output-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  // Ten bits with alpha, from below black to above white, recorded somewhere.
  const picture = `nullsrc=size=128x96:rate=25,format=yuva444p10le,geq=lum='4+X*7.9':cb='400+Y':cr='512+N':a='if(lt(X,64),0,1023)'`;
  inputPath = await makeClip(path.join(dir, 'camera.mov'), [
    ...['-f', 'lavfi', '-i', picture, '-frames:v', '6', '-c:v', 'prores_ks', '-profile:v', '4444', '-alpha_bits', '16'],
    ...['-timecode', '01:02:03:24', '-metadata:s:v', 'reel_name=B007', '-metadata', 'location=+48.1000+011.5000/'],
  ]);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

async function edit(name: string, extension: string, settings: Partial<EditSettings>) {
  const job = tinyJob({ dir, modelDir, inputPath }, name, { startSeconds: 2 / 25, endSeconds: 5 / 25, ...settings });
  const outputPath = path.join(dir, `${name}${extension}`);
  const { report } = await runTinyEdit({ ...job, outputPath });
  return { report, result: await probeClip(outputPath), text: await readFile(outputPath, 'utf8') };
}

test('a result begins at the timecode of its in point, keeps reel and alpha, and says that it was edited', async () => {
  const { report, result, text } = await edit('whole', '.mov', { codec: 'prores-4444' });
  expect(result.origin).toMatchObject({ timecode: '01:02:04:01', reel: 'B007', location: null });
  expect(result).toMatchObject({ frameCount: 3, hasAlpha: true, frameSize: { width: 128, height: 96 } });
  const [first] = await collect(decodePlanes(result, { endFrame: 1 }));
  expect([first?.planes[3]?.[10], first?.planes[3]?.[100]]).toEqual([0, 2 ** (first?.format.bits ?? 0) - 1]);
  expect(text).toContain(digitalSourceType);
  expect(text).not.toContain(tinyJob({ dir, modelDir, inputPath }, 'x', {}).settings.prompt);
  expect(report.notices.join()).not.toContain('transparency');
  // 01:02:04:01 at 25 frames a second.
  expect(report.written).toEqual({ timecodeFrames: (62 * 60 + 4) * 25 + 1, hasAlpha: true });
});

test('the prompt and the place are in it for those who ask for them; what the codec cannot keep is told', async () => {
  const { report, result, text } = await edit('told', '.mp4', {
    codec: 'h264',
    writesPrompt: true,
    keepsLocation: true,
  });
  expect(result.origin).toMatchObject({ timecode: '01:02:04:01', location: '+48.1000+011.5000/' });
  expect(text).toContain(tinyJob({ dir, modelDir, inputPath }, 'x', {}).settings.prompt);
  expect(report.notices.join()).toContain('H.264 has no transparency');
  expect(report.written).toMatchObject({ hasAlpha: false });
  expect(report.notices.join()).toContain("H.264 keeps 8 of the clip's");
});

test('a lossless result has the bits and the sampling of the clip, and its alpha', async () => {
  const { result } = await edit('lossless', '.mkv', { codec: 'ffv1' });
  const clip = await probeClip(inputPath);
  const sources = await collect(decodePlanes(clip, { startFrame: 2, endFrame: 5 }));
  const results = await collect(decodePlanes(result));
  expect(results).toHaveLength(3);
  for (const [i, { planes, format }] of results.entries()) {
    const { format: own, planes: ownPlanes } = sources[i] ?? { format, planes: [] };
    expect(format.bits).toBeGreaterThanOrEqual(own.bits);
    expect(format).toMatchObject({ chromaShift: own.chromaShift, components: own.components, hasAlpha: true });
    expect(planes[3]?.map((code) => code >> (format.bits - own.bits))).toEqual(ownPlanes[3]);
  }
});
