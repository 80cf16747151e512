// The figures that are printed for an edit of a clip whose motion is known.

import type { ClipInfo } from '../media/probe/clip-info.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import type { Size } from '../media/frame.ts';
import { psnr } from '../metrics/psnr.ts';
import { ssim } from '../metrics/ssim.ts';
import { measureTemporal, type SourceMotion, type TemporalMetrics } from '../metrics/temporal.ts';

export interface EditMetrics extends TemporalMetrics {
  /** Mean over frames, against the source: how much was changed. In dB, and 0..1. */
  readonly psnr: number;
  readonly ssim: number;
}

/** `motions` is the source's motion at the size `size`, at which all clips are read. */
export async function measureEdit(
  source: ClipInfo,
  edited: ClipInfo,
  motions: readonly SourceMotion[],
  size: Size,
  signal?: AbortSignal,
): Promise<EditMetrics> {
  const temporal = await measureTemporal(decodeFrames(edited, { size, signal }), motions);
  const originals = decodeFrames(source, { size, signal });
  const likeness = { psnr: 0, ssim: 0, frames: 0 };
  for await (const frame of decodeFrames(edited, { size, signal })) {
    const original = await originals.next();
    if (original.done === true) break;
    likeness.psnr += psnr(original.value, frame);
    likeness.ssim += ssim(original.value, frame);
    likeness.frames++;
  }
  await originals.return();
  return {
    ...temporal,
    psnr: likeness.psnr / likeness.frames,
    ssim: likeness.ssim / likeness.frames,
  };
}
