import { sampleMasks } from '../../companion-server/src/demo/samples.ts';
import { psnr } from '../../companion-server/src/metrics/psnr.ts';
import { atLeast, decibels, mean, percent, reported, share, type Gate } from './gate.ts';
import { hueError, objectHue } from './hue.ts';
import { decodeLatents, encodeFrames, readFrames, spread } from './pictures.ts';

/** Degrees. */
const largestHueError = 15;

export const vaeGate: Gate = {
  name: 'vae',
  title:
    'Frames of the sample clips, which were not trained on, through the VAE and back. The gate is on clips without grain: no VAE keeps noise',
  isQuick: true,
  async run({ model, samples, isQuick, log }) {
    const looks: { hard: boolean; likeness: number; hue: number }[] = [];
    for (const sample of samples) {
      const masks = await sampleMasks(sample);
      const frames = spread(await readFrames(sample.clipPath), isQuick ? 4 : sample.frames);
      const copies = await decodeLatents(model, await encodeFrames(model, frames));
      const here = frames.map((frame, i) => {
        const copy = copies[i] ?? frame;
        const mask = masks[frame.index] ?? new Uint8Array();
        const hue = hueError(objectHue(frame, mask), objectHue(copy, mask));
        return { hard: sample.hard, likeness: psnr(frame, copy), hue };
      });
      log(`${sample.name}: ${decibels(mean(here.map((look) => look.likeness)))}, hue moved ${mean(here.map((look) => look.hue)).toFixed(1)} degrees${sample.hard ? ' (grain)' : ''}`); // prettier-ignore
      looks.push(...here);
    }
    const clean = looks.filter((look) => !look.hard);
    const hard = looks.filter((look) => look.hard);
    const kept = share(looks, (look) => look.hue <= largestHueError);
    return [
      ...(clean.length === 0
        ? []
        : [atLeast(`PSNR, ${clean.length} frames without grain`, mean(clean.map((look) => look.likeness)), 28, decibels)]), // prettier-ignore
      ...(hard.length === 0
        ? []
        : [reported(`PSNR, ${hard.length} frames with grain`, decibels(mean(hard.map((look) => look.likeness))))]), // prettier-ignore
      atLeast(`hue of the object within ${largestHueError} degrees, ${looks.length} frames`, kept, 0.95, percent), // prettier-ignore
    ];
  },
};
