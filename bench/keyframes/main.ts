// A recolouring that was made by hand on one frame, given back as a keyframe: how near all frames come to the clip with the
// exact recolouring, against the same edit by prompt.

import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EditSettings } from '../../protocol/edit-settings.ts';
import {
  openSample,
  sampleMasks,
  sampleMotions,
  sampleNames,
  type Sample,
} from '../../companion-server/src/demo/samples.ts';
import { encodePng } from '../../companion-server/src/media/encode/png.ts';
import { writePictureClip } from '../../companion-server/src/media/encode/picture-clip.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { warpError } from '../../companion-server/src/metrics/warp-error.ts';
import { readFrames } from '../demo-world/pictures.ts';
import { runEdit } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import { atLeast, atMost, decibels, mean, percent, ratio, share } from '../rows.ts';
import type { Bench, BenchRow } from '../table.ts';

const targets = { isRightHue: 0.95, gain: 3, warp: 1.2, time: 1.1 };

/** Their red and blue can be exchanged: the result has a prompt. */
const exchanged = ['red', 'blue'];

export const keyframesBench: Bench = {
  name: 'keyframes',
  title:
    'all frames after a recolouring by hand of the first, against the exact recolouring and the same edit by prompt',
  async run({ clips, log }) {
    const rows: BenchRow[] = [];
    for (const name of clips ?? (await sampleNames())) {
      const sample = await openSample(name);
      if (!exchanged.includes(sample.look) || !exchanged.includes(sample.targets[0]?.look ?? '')) continue;
      rows.push(...(await recolour(sample)));
      log(`${name} is done`);
    }
    return rows;
  },
};

async function recolour(sample: Sample): Promise<readonly BenchRow[]> {
  const masks = await sampleMasks(sample);
  const source = await readFrames(sample.clipPath);
  const exact = source.map((frame, i) => exchange(frame, masks[i]));
  const picture = path.join(benchFolder(), `keyframe-${process.pid}.png`);
  const clip = path.join(benchFolder(), `keyframe-${process.pid}.nut`);
  const [first] = exact;
  if (first === undefined) throw new RangeError('The clip has no frame.');
  await writeFile(picture, encodePng(first));
  await writePictureClip(picture, clip);
  const usual = { sourcePrompt: sample.caption, codec: 'ffv1', sound: 'none' } as const;
  const edit = async (settings: Partial<EditSettings>, paths: readonly { frame: number; path: string }[]) => {
    const result: Rgb24Frame[] = [];
    const look = async (file: string) => void result.push(...(await readFrames(file)));
    const { seconds } = await runEdit(sample.clipPath, { ...usual, ...settings }, look, undefined, {
      keyframePaths: paths,
    });
    return { result, seconds };
  };
  try {
    const keyframes = [{ frame: 0, sha256: 'a'.repeat(64) }];
    const given = await edit({ prompt: sample.caption, keyframes }, [{ frame: 0, path: clip }]);
    const prompted = await edit({ prompt: sample.targets[0]?.prompt ?? '' }, []);
    const nearness = (frames: readonly Rgb24Frame[]) => mean(frames.map((frame, i) => psnr(frame, exact[i] ?? frame)));
    const isRight = (frame: Rgb24Frame, i: number) =>
      distance(frame, exact[i], masks[i]) < distance(frame, source[i], masks[i]);
    const rightHue = share(
      given.result.map((frame, i) => isRight(frame, i)),
      (isSo) => isSo,
    );
    const motions = await sampleMotions(sample);
    const warp = (frames: readonly Rgb24Frame[]) =>
      mean(
        motions.map(({ flow }, i) => {
          const [frame, next] = [frames[i], frames[i + 1]];
          if (frame === undefined || next === undefined) throw new RangeError('The result is shorter than the clip.');
          const { sum, count } = warpError(frame, next, flow);
          return sum / count;
        }),
      );
    const { name } = sample;
    return [
      atLeast(`${name}: frames of the right colour`, rightHue, targets.isRightHue, percent),
      atLeast(
        `${name}: PSNR above that of the edit by prompt, ${decibels(nearness(given.result))} : ${decibels(nearness(prompted.result))}`,
        nearness(given.result) - nearness(prompted.result),
        targets.gain,
        decibels,
      ),
      atMost(`${name}: warp error, result : exact`, warp(given.result) / warp(exact), targets.warp, ratio),
      atMost(`${name}: time, with a given keyframe : by prompt`, given.seconds / prompted.seconds, targets.time, ratio),
    ];
  } finally {
    await rm(picture, { force: true });
    await rm(clip, { force: true });
  }
}

/** Red and blue in each other's place where the mask is. */
function exchange(frame: Rgb24Frame, mask: Uint8Array | undefined): Rgb24Frame {
  const rgb = frame.rgb.slice();
  for (const [i, isObject] of (mask ?? new Uint8Array(0)).entries()) {
    if (isObject === 0) continue;
    rgb[3 * i] = frame.rgb[3 * i + 2] ?? 0;
    rgb[3 * i + 2] = frame.rgb[3 * i] ?? 0;
  }
  return { ...frame, rgb };
}

/** Of the mean colours within the mask. */
function distance(a: Rgb24Frame, b: Rgb24Frame | undefined, mask: Uint8Array | undefined): number {
  const colour = (frame: Rgb24Frame | undefined) =>
    [0, 1, 2].map((c) => {
      const inside = [...(mask ?? [])].flatMap((isObject, i) => (isObject === 0 ? [] : [frame?.rgb[3 * i + c] ?? 0]));
      return mean(inside);
    });
  const [x, y] = [colour(a), colour(b)];
  return Math.hypot(...x.map((value, c) => value - (y[c] ?? 0)));
}
