// The pictures of keyframes that somebody has edited by hand: looked over, and read at the size that is asked for.

import { EditError } from '../../errors.ts';
import { coverageOfAlpha } from '../../mask/coverage.ts';
import { decodeFrames, decodePlanes } from '../../media/decode/frames.ts';
import type { Rgb24Frame, Size } from '../../media/frame.ts';
import { planeFormatOf } from '../../media/planes.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { probeClip } from '../../media/probe/probe.ts';

/** Largest difference of two shapes of pictures, as a ratio, that rounding to pixels explains. */
const sameShape = 1.02;

export interface GivenPicture {
  readonly frame: number;
  readonly picture: ClipInfo;
  readonly notice: string | null;
}

/**
 * In the order of their frames. Throws EditError('invalid-request') for a picture of another shape or with transparent pixels;
 * what `probeClip` throws.
 */
export async function openPictures(
  paths: readonly { readonly frame: number; readonly path: string }[],
  clip: ClipInfo,
  signal: AbortSignal | undefined,
): Promise<readonly GivenPicture[]> {
  const pictures: GivenPicture[] = [];
  for (const { frame, path: file } of [...paths].sort((a, b) => a.frame - b.frame)) {
    const picture = await probeClip(file, signal);
    await requireOpaque(picture, frame, signal);
    pictures.push({ frame, picture, notice: fitNotice(frame, picture, clip) });
  }
  return pictures;
}

/** What is said of a picture of another size. Throws for one of another shape. */
function fitNotice(frame: number, { displaySize: own }: ClipInfo, { displaySize: clip }: ClipInfo): string | null {
  if (own.width === clip.width && own.height === clip.height) return null;
  const sizes = `${own.width} x ${own.height}; the clip is ${clip.width} x ${clip.height}`;
  const ratio = (own.width * clip.height) / (own.height * clip.width);
  if (Math.max(ratio, 1 / ratio) <= sameShape) return `The keyframe of frame ${frame} is ${sizes}. It was scaled.`;
  throw new EditError('invalid-request', `The keyframe of frame ${frame} has another shape: it is ${sizes}.`, {
    hint: 'Export the frame again, and keep its size.',
  });
}

async function requireOpaque(picture: ClipInfo, frame: number, signal: AbortSignal | undefined): Promise<void> {
  if (!planeFormatOf(picture.pixelFormat, picture.bitDepth).hasAlpha) return;
  for await (const planes of decodePlanes(picture, { endFrame: 1, signal })) {
    if (coverageOfAlpha(planes).values.every((value) => value === 1)) return;
  }
  throw new EditError('invalid-request', `The keyframe of frame ${frame} has transparent pixels.`, {
    hint: 'Flatten the picture, and give it again.',
  });
}

/** The frame `index` of a clip, or the picture that a clip of one frame is, at a size. Throws EditError where there is none. */
export async function readPicture(
  clip: ClipInfo,
  {
    index = 0,
    size,
    signal,
  }: { readonly index?: number; readonly size: Size; readonly signal: AbortSignal | undefined },
): Promise<Rgb24Frame> {
  for await (const frame of decodeFrames(clip, { startFrame: index, endFrame: index + 1, size, signal })) return frame;
  throw new EditError('clip-unreadable', `"${clip.path}" has no frame ${index}.`);
}
