// The masks of an edit's frames at one size, frame after frame.

import { EditError } from '../../errors.ts';
import { coverageOfAlpha, coverageOfGrey, resizeCoverage, type Coverage } from '../../mask/coverage.ts';
import type { MatteChannel } from '../../../../protocol/mask.ts';
import { decodeFrames, decodePlanes } from '../../media/decode/frames.ts';
import type { Size } from '../../media/frame.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { GivenMask } from './given-mask.ts';

export interface MaskReader {
  /** Of a frame of the clip, before its edge is shaped. Frames are asked for in rising order. */
  at(frame: number): Promise<Coverage>;
  close(): Promise<void>;
}

/** The last mask at or before a frame holds for it; before the first, the first. */
export function readHeld(masks: readonly GivenMask[], size: Size): MaskReader {
  let [current, coverage]: [GivenMask | undefined, Promise<Coverage> | undefined] = [undefined, undefined];
  return {
    at(frame) {
      const mask = masks.findLast((one) => one.frame <= frame) ?? masks[0];
      if (mask === undefined) throw new TypeError('A mask of single frames has at least one.');
      if (mask !== current || coverage === undefined) [current, coverage] = [mask, mask.draw(size)];
      return coverage;
    },
    close: () => Promise.resolve(),
  };
}

/** A frame of the matte for each frame of the clip. It is scaled here: ffmpeg's scaling leaves ripples beside edges. */
export function readMatte(
  { matte, channel }: { readonly matte: ClipInfo; readonly channel: MatteChannel },
  range: FrameRange,
  size: Size,
  signal: AbortSignal | undefined,
): MaskReader {
  const read = <F extends { readonly index: number }>(
    decoded: AsyncGenerator<F, void, undefined>,
    coverageOf: (frame: F) => Coverage,
  ): MaskReader => {
    const frames = inRisingOrder(decoded, matte);
    return {
      at: async (frame) => resizeCoverage(coverageOf(await frames.at(frame)), size),
      close: () => frames.close(),
    };
  };
  return channel === 'alpha'
    ? read(decodePlanes(matte, { ...range, signal }), coverageOfAlpha)
    : read(decodeFrames(matte, { ...range, signal }), coverageOfGrey);
}

export interface FrameRange {
  readonly startFrame: number;
  /** One after the last frame. */
  readonly endFrame: number;
}

/** Decoded frames, asked for in rising order; those between are passed over. */
export function inRisingOrder<F extends { readonly index: number }>(
  decoded: AsyncGenerator<F, void, undefined>,
  { path }: Pick<ClipInfo, 'path'>,
): { at(frame: number): Promise<F>; close(): Promise<void> } {
  return {
    async at(wanted) {
      for (;;) {
        const next = await decoded.next();
        if (next.done === true) break;
        if (next.value.index === wanted) return next.value;
      }
      throw new EditError('clip-unreadable', `Frame ${wanted} of "${path}" could not be read.`, {
        hint: 'Leave the clip and its matte as they are during the edit.',
      });
    },
    async close() {
      await decoded.return();
    },
  };
}
