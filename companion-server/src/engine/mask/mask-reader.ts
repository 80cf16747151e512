// The masks of an edit's frames at one size, frame after frame.

import { EditError } from '../../errors.ts';
import { coverageOfGrey, type Coverage } from '../../mask/coverage.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { Rgb24Frame, Size } from '../../media/frame.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { GivenMask } from './mask-source.ts';

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

/** A frame of the matte for each frame of the clip. */
export function readMatte(
  matte: ClipInfo,
  range: { readonly startFrame: number; readonly endFrame: number },
  size: Size,
  signal: AbortSignal | undefined,
): MaskReader {
  const frames = openFrames(matte, range, size, signal);
  return { at: async (frame) => coverageOfGrey(await frames.at(frame)), close: () => frames.close() };
}

/** Pictures of a clip, asked for in rising order; those between are passed over. */
export function openFrames(
  clip: ClipInfo,
  { startFrame, endFrame }: { readonly startFrame: number; readonly endFrame: number },
  size: Size,
  signal: AbortSignal | undefined,
): { at(frame: number): Promise<Rgb24Frame>; close(): Promise<void> } {
  const frames = decodeFrames(clip, { startFrame, endFrame, size, signal });
  return {
    async at(wanted) {
      for (;;) {
        const next = await frames.next();
        if (next.done === true) break;
        if (next.value.index === wanted) return next.value;
      }
      throw new EditError('clip-unreadable', `Frame ${wanted} of "${clip.path}" could not be read.`, {
        hint: 'Leave the clip and its matte as they are during the edit.',
      });
    },
    close: async () => void (await frames.return()),
  };
}
