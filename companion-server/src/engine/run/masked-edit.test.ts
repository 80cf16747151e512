// Edits that may change a part of their clip only, from file to file.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import type { MaskSettings, MaskShape } from '../../../../protocol/mask.ts';
import { drawShapes } from '../../mask/draw-shapes.ts';
import { decodePlanes } from '../../media/decode/frames.ts';
import { pictureClipExtension, writePictureClip } from '../../media/encode/picture-clip.ts';
import type { PlanarFrame } from '../../media/planes.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import type { EditJob } from './edit-job.ts';

let dir: string;
let modelDir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-masked-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const clip = (name: string, size: string, format: string, count = 4) =>
  makeClip(path.join(dir, `${name}.mkv`), [
    ...testPicture('96x96', '10', count),
    ...['-vf', `format=${format},crop=${size.replace('x', ':')}:0:0:exact=1`, '-c:v', 'ffv1'],
  ]);

const shape: MaskShape = { kind: 'ellipse', points: [0.25, 0.2, 0.7, 0.8], erases: false };
const maskOf = (mask: Partial<MaskSettings> = {}): MaskSettings => ({
  ...(mask.matte === undefined && mask.words === undefined ? { drawn: [{ frame: 0, shapes: [shape] }] } : {}),
  follows: false,
  invert: false,
  grow: 0,
  feather: 0,
  asAlpha: false,
  ...mask,
});
const everywhere = maskOf({
  drawn: [{ frame: 0, shapes: [{ kind: 'rectangle', points: [0, 0, 1, 1], erases: false }] }],
});
const nowhere = { ...everywhere, invert: true };

function jobOf(name: string, inputPath: string, settings: Partial<EditSettings>): EditJob {
  const job = tinyJob({ dir, modelDir, inputPath }, name, {
    keyframeInterval: 2,
    codec: 'ffv1',
    sound: 'none',
    ...settings,
  });
  return { ...job, outputPath: path.join(dir, `${name}.mkv`) };
}

async function planesOf(file: string): Promise<readonly PlanarFrame[]> {
  const frames: PlanarFrame[] = [];
  for await (const frame of decodePlanes(await probeClip(file))) frames.push(frame);
  return frames;
}

/** Samples of all planes that differ, at pixels where `isIn`; a chroma sample counts for its upper left pixel. */
function differences(a: readonly PlanarFrame[], b: readonly PlanarFrame[], isIn: (x: number, y: number) => boolean) {
  let count = 0;
  for (const [n, { planes, format, width }] of a.entries()) {
    for (const [k, plane] of planes.entries()) {
      const { x, y } = k === 1 || k === 2 ? format.chromaShift : { x: 0, y: 0 };
      const columns = Math.ceil(width / 2 ** x);
      for (const [i, value] of plane.entries()) {
        if (!isIn((i % columns) * 2 ** x, Math.floor(i / columns) * 2 ** y)) continue;
        if (b[n]?.planes[k]?.[i] !== value) count++;
      }
    }
  }
  return count;
}

describe('a masked edit', () => {
  it.each([
    ['8 bits, the working size', '64x64', 'yuv420p'],
    ['10 bits, larger, odd', '93x77', 'yuv422p10le'],
    ['RGB, larger', '96x72', 'gbrp'],
  ])(
    'leaves every sample outside as it was before the encoder, and changes those inside: %s',
    async (name, size, format) => {
      const input = await clip(`outside ${format}`, size, format);
      const job = jobOf(`outside-${format}`, input, { mask: maskOf({ feather: 3 }) });
      const { report } = await runTinyEdit(job);
      const [before, after] = [await planesOf(input), await planesOf(job.outputPath)];
      const [first] = before;
      if (first === undefined) throw new Error(`${name}: there is no frame.`);
      expect(after.map(({ format: stored }) => stored.name)).toEqual(before.map(() => first.format.name));
      const drawn = drawShapes([shape], first);
      const covers = (x: number, y: number, margin: number) =>
        Array.from({ length: 2 * margin + 1 }, (_, i) => i - margin).some((dy) =>
          Array.from({ length: 2 * margin + 1 }, (_, i) => i - margin).some(
            (dx) => x + dx >= 0 && x + dx < first.width && (drawn.values[(y + dy) * first.width + x + dx] ?? 0) > 0,
          ),
        );
      expect(differences(before, after, (x, y) => !covers(x, y, 3 + 2))).toBe(0);
      expect(differences(before, after, (x, y) => (drawn.values[y * first.width + x] ?? 0) === 1)).toBeGreaterThan(100);
      expect(report.maskedShare).toBeGreaterThan(0.1);
      expect(report.maskedShare).toBeLessThan(0.9);
    },
  );

  it('with an empty mask is the clip, and says so; with a full one it is the edit without a mask', async () => {
    // Larger than the working size: both results are then made in the clip's own planes.
    const input = await clip('extremes', '80x80', 'yuv420p');
    const jobs = [undefined, everywhere, nowhere].map((mask, i) =>
      jobOf(`extreme${i}`, input, { ...(mask && { mask }), seed: 3 }),
    );
    const reports = [];
    for (const job of jobs) reports.push((await runTinyEdit(job)).report);
    const [plain, full, empty] = await Promise.all(jobs.map(({ outputPath }) => planesOf(outputPath)));
    const source = await planesOf(input);
    expect(empty).toEqual(source);
    expect(reports[2]?.notices).toContain('The mask covers nothing, so the result is the clip as it was.');
    expect(reports.map(({ maskedShare }) => maskedShare)).toEqual([undefined, 1, 0]);
    expect(full?.map(({ planes }) => planes)).toEqual(plain?.map(({ planes }) => planes));
  });

  it('has the mask as its alpha where that is asked for', async () => {
    const input = await clip('layer', '64x64', 'yuv422p10le');
    const layer = jobOf('layer-alpha', input, { mask: maskOf({ asAlpha: true }) });
    await runTinyEdit(layer);
    const result = await planesOf(layer.outputPath);
    expect(result.map(({ format }) => format.name)).toEqual(Array(4).fill('yuva422p10le'));
    const { values } = drawShapes([shape], { width: 64, height: 64 });
    for (const { planes } of result) {
      expect(planes[3]).toEqual(Uint16Array.from(values, (value) => Math.floor(1023 * value + 0.5)));
    }
    expect(differences(await planesOf(input), result, () => true)).toBeGreaterThan(1000);
  });

  it('goes on from its last step after a kill, with the mask that it had', async () => {
    const input = await clip('killed', '64x64', 'yuv420p');
    const settings = { mask: maskOf({ follows: true }) };
    const whole = jobOf('whole', input, settings);
    await runTinyEdit(whole);
    const killed = jobOf('killed-edit', input, settings);
    await runUntil(killed, 'edit', 1);
    await runTinyEdit(killed);
    expect(await planesOf(killed.outputPath)).toEqual(await planesOf(whole.outputPath));
  });

  it('takes the inversion that the same clip has had without a mask', async () => {
    const input = await clip('kept', '64x64', 'yuv420p');
    const cache = { clipSha256: 'a'.repeat(64), inversionsDir: path.join(dir, 'inversions') };
    await runTinyEdit({ ...jobOf('kept0', input, {}), ...cache });
    const { report } = await runTinyEdit({ ...jobOf('kept1', input, { mask: maskOf({ follows: true }) }), ...cache });
    expect(report.unetEvaluations.inversion).toBe(0);
    expect(report.notices).toContain('The inversion of an earlier edit of this clip was used again.');
  });

  it('follows a matte frame by frame, its brightness or its alpha', async () => {
    const input = await clip('matted', '64x64', 'yuv420p', 2);
    const left = 'geq=lum=if(lt(X\\,32+16*N)\\,255\\,0):cb=128:cr=128';
    const matte = await makeClip(path.join(dir, 'matte.mkv'), [
      ...['-f', 'lavfi', '-i', 'color=black:size=64x64:rate=10', '-frames:v', '2'],
      ...['-vf', `format=yuv444p,${left},scale=out_range=pc,format=gbrp`, '-c:v', 'ffv1'],
    ]);
    const alpha = await makeClip(path.join(dir, 'alpha.mkv'), [
      ...['-f', 'lavfi', '-i', 'color=white:size=64x64:rate=10', '-frames:v', '2'],
      ...['-vf', 'format=rgba,geq=r=255:g=255:b=255:a=if(lt(X\\,32+16*N)\\,255\\,0),format=gbrap', '-c:v', 'ffv1'],
    ]);
    const source = await planesOf(input);
    for (const [channel, mattePath] of [['luma', matte] as const, ['alpha', alpha] as const]) {
      const job = jobOf(`matte-${channel}`, input, {
        mask: maskOf({ matte: { sha256: 'b'.repeat(64), channel, frame: 0 } }),
      });
      await runTinyEdit({ ...job, mattePath });
      const result = await planesOf(job.outputPath);
      for (const [n, edge] of [32, 48].entries()) {
        const [before, after] = [source.slice(n, n + 1), result.slice(n, n + 1)];
        expect(differences(before, after, (x) => x >= edge)).toBe(0);
        expect(differences(before, after, (x) => x < edge)).toBeGreaterThan(100);
      }
    }
  });

  it('takes what words of its source prompt name, the same after a kill, and refuses what the model does not read', async () => {
    const input = await clip('worded', '64x64', 'yuv420p');
    const words = { sourcePrompt: 'a grey wolf', mask: maskOf({ words: 'wolf' }) };
    const whole = jobOf('worded-edit', input, words);
    const { report } = await runTinyEdit(whole);
    expect(report.maskedShare).toBeGreaterThan(0);
    expect(report.maskedShare).toBeLessThan(1);
    const killed = jobOf('worded-killed', input, words);
    await runUntil(killed, 'edit', 1);
    await runTinyEdit(killed);
    expect(await planesOf(killed.outputPath)).toEqual(await planesOf(whole.outputPath));
    const other = jobOf('worded-other', input, { ...words, mask: maskOf({ words: 'grey' }) });
    await runTinyEdit(other);
    expect(await planesOf(other.outputPath)).not.toEqual(await planesOf(whole.outputPath));
    const long = { ...words, sourcePrompt: `${'very '.repeat(100)}grey wolf` };
    await expect(runTinyEdit(jobOf('worded-long', input, long))).rejects.toThrow(
      'The model reads the mask\'s words "wolf" nowhere in the source prompt.',
    );
  });

  it('takes a painted picture as its mask', async () => {
    const input = await clip('painted', '64x64', 'yuv420p', 2);
    const picture = await makeClip(path.join(dir, 'painted.png'), [
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=black:size=64x64',
        '-frames:v',
        '1',
        '-vf',
        'drawbox=x=0:y=0:w=32:h=64:color=white:t=fill',
      ],
    ]);
    const mattePath = path.join(dir, `painted${pictureClipExtension}`);
    await writePictureClip(picture, mattePath);
    const mask = maskOf({ matte: { sha256: 'c'.repeat(64), channel: 'luma', frame: 0 } });
    const job = jobOf('painted-edit', input, { mask });
    await runTinyEdit({ ...job, mattePath });
    const [before, after] = [await planesOf(input), await planesOf(job.outputPath)];
    expect(differences(before, after, (x) => x >= 32)).toBe(0);
    expect(differences(before, after, (x) => x < 32)).toBeGreaterThan(100);
  });

  it.each([
    [
      'a frame that the clip has not',
      { drawn: [{ frame: 9, shapes: [shape] }] },
      null,
      'The mask is of frame 9; the clip has 4 frames',
    ],
    ['a matte of another shape', null, '96x64', 'The matte is 96 x 64; the clip, 64 x 64, has another shape.'],
    ['a matte that is too short', null, '64x64', 'The matte has 3 frames; the edit goes to frame 3 of the clip.'],
  ])('refuses %s', async (name, drawn, matteSize, message) => {
    const input = await clip(`refused ${name}`, '64x64', 'yuv420p');
    const mattePath = matteSize === null ? null : await clip(`matte ${name}`, matteSize, 'yuv420p', 3);
    const mask = maskOf(drawn ?? { matte: { sha256: 'd'.repeat(64), channel: 'luma', frame: 0 } });
    const job = { ...jobOf(`refused-${name.replaceAll(' ', '-')}`, input, { mask }), mattePath };
    await expect(runTinyEdit(job)).rejects.toThrow(message);
  });

  it('refuses the alpha of a matte that has none', async () => {
    const input = await clip('opaque', '64x64', 'yuv420p');
    const mask = maskOf({ matte: { sha256: 'e'.repeat(64), channel: 'alpha', frame: 0 } });
    await expect(runTinyEdit({ ...jobOf('opaque-edit', input, { mask }), mattePath: input })).rejects.toThrow(
      'The matte has no alpha; its pixels are yuv420p.',
    );
  });
});
