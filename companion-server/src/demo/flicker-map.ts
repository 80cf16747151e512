// Where a clip changes although its source only moved, as a picture: black where it is steady, bright where it boils.

import type { Rgb24Frame } from '../media/frame.ts';
import { sampleBilinear } from '../metrics/flow.ts';
import type { SourceMotion } from '../metrics/temporal.ts';

/** The mean change from one frame to the next that is drawn white, of 255. */
const brightest = 40;

/** Black, violet, orange, yellow, white: growing in lightness, so that it reads in grey as well. */
const ramp = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
] as const;

/** Pixels whose motion is known in no frame. */
const unknown = [40, 40, 44] as const;

/** The mean over all frames, at every pixel, of the change along the source's `motions`; one scale for all maps. */
export function flickerMap(frames: readonly Rgb24Frame[], motions: readonly SourceMotion[]): Rgb24Frame {
  const { width = 0, height = 0 } = frames[0] ?? {};
  const plane = width * height;
  const sums = new Float32Array(plane);
  const counts = new Uint16Array(plane);
  motions.slice(0, frames.length - 1).forEach(({ flow }, t) => {
    const [frame, next] = [frames[t], frames[t + 1]];
    if (frame === undefined || next === undefined) return;
    const { data } = flow.vectors;
    for (let i = 0; i < plane; i++) {
      if (flow.known[i] !== 1) continue;
      const x = (i % width) + (data[i] ?? 0);
      const y = Math.floor(i / width) + (data[plane + i] ?? 0);
      for (let channel = 0; channel < 3; channel++) {
        const moved = sampleBilinear(next.rgb, next, x, y, 3, channel);
        sums[i] = (sums[i] ?? 0) + Math.abs((frame.rgb[3 * i + channel] ?? 0) - moved) / 3;
      }
      counts[i] = (counts[i] ?? 0) + 1;
    }
  });
  const rgb = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const count = counts[i] ?? 0;
    rgb.set(count === 0 ? unknown : colourOf((sums[i] ?? 0) / count / brightest), 3 * i);
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

/** `share`: 0 steady, 1 and above brightest. */
function colourOf(share: number): readonly number[] {
  const at = Math.min(share, 1) * (ramp.length - 1);
  const below = Math.min(Math.floor(at), ramp.length - 2);
  return [0, 1, 2].map((channel) => {
    const [from, to] = [ramp[below]?.[channel] ?? 0, ramp[below + 1]?.[channel] ?? 0];
    return Math.round(from + (to - from) * (at - below));
  });
}
