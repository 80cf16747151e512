import { sampleMasks } from '../../companion-server/src/demo/samples.ts';
import type { Model } from '../../companion-server/src/engine/model/model.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { atLeast, decibels, mean, percent, reported, share } from '../rows.ts';
import type { Gate } from './gate.ts';
import { readHeldOut } from './held-out.ts';
import { hueError, objectHue } from '../demo-world/hue.ts';
import { decodeLatents, encodeFrames, readFrames, spread } from '../demo-world/pictures.ts';

/** Degrees. */
const largestHueError = 15;
/** Pictures of a quick run, and of each clip beside the gate. */
const quickPictures = 8;
const clipPictures = 4;

interface Look {
  /** PSNR of the copy in dB. */
  readonly likeness: number;
  /** How far the object's hue has moved, in degrees. */
  readonly hue: number;
}

export const vaeGate: Gate = {
  name: 'vae',
  title:
    'Held-out scenes through the VAE and back; beside them frames of the sample clips, which are busier and partly grainy: no VAE keeps noise',
  isQuick: true,
  async run({ model, samples, heldOutDir, isQuick, log }) {
    const scenes = await readHeldOut(heldOutDir);
    const chosen = isQuick ? spread(scenes, quickPictures) : scenes;
    const looks = await lookAt(
      model,
      chosen.map(({ frame }) => frame),
      chosen.map(({ mask }) => mask),
    );
    const clips: { hard: boolean; likeness: number }[] = [];
    for (const sample of samples) {
      const masks = await sampleMasks(sample);
      const frames = spread(await readFrames(sample.clipPath), clipPictures);
      const here = await lookAt(
        model,
        frames,
        frames.map(({ index }) => masks[index] ?? new Uint8Array()),
      );
      log(
        `${sample.name}: ${decibels(mean(here.map((look) => look.likeness)))}, hue moved ${mean(here.map((look) => look.hue)).toFixed(1)} degrees${sample.hard ? ' (grain)' : ''}`,
      );
      clips.push(...here.map(({ likeness }) => ({ hard: sample.hard, likeness })));
    }
    const on = `${looks.length} of ${scenes.length} held-out scenes`;
    const kept = share(looks, (look) => look.hue <= largestHueError);
    return [
      atLeast(`PSNR, ${on}`, mean(looks.map((look) => look.likeness)), 30, decibels),
      atLeast(`hue of the object within ${largestHueError} degrees, ${on}`, kept, 0.95, percent),
      ...[false, true].flatMap((hard) => {
        const some = clips.filter((clip) => clip.hard === hard);
        const figure = `PSNR, ${some.length} frames of ${hard ? 'grainy' : 'clean'} sample clips`;
        return some.length === 0 ? [] : [reported(figure, decibels(mean(some.map(({ likeness }) => likeness))))];
      }),
    ];
  },
};

async function lookAt(
  model: Model,
  frames: readonly Rgb24Frame[],
  masks: readonly ArrayLike<number>[],
): Promise<readonly Look[]> {
  const copies = await decodeLatents(model, await encodeFrames(model, frames));
  return frames.map((frame, i) => {
    const copy = copies[i] ?? frame;
    const mask = masks[i] ?? [];
    return { likeness: psnr(frame, copy), hue: hueError(objectHue(frame, mask), objectHue(copy, mask)) };
  });
}
