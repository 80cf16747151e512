// Videos of a result that are made to be played: the edit, the range of the clip that it was made from, and maps of what it
// has changed. All have the same rate and number of frames, so that a player can show them together.

import type { FrameSide } from '../../../../protocol/messages/stream-messages.ts';
import { throwIfCanceled } from '../../errors.ts';
import { decodeFrames } from '../decode/frames.ts';
import { differenceMap, flickerMap } from '../decode/pixel-maps.ts';
import { openEncoder } from '../encode/encode.ts';
import type { Rgb24Frame, Size } from '../frame.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { toneMapped } from '../tone-mapping.ts';

/** Most pixels of the longer and of the shorter side. Maps are asked for and waited for, so they are smaller. */
const most = { picture: { longer: 1280, shorter: 720 }, map: { longer: 640, shorter: 360 } } as const;

/** H.264's constant rate factor: a map has hard edges, but neither is delivered. */
const crf = 20;

/** What browsers take for granted; the frames have these colours. */
const colour = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;

export interface PlaybackSource {
  readonly side: FrameSide;
  readonly clip: ClipInfo;
  /** Frame of the clip that is the first of the result. */
  readonly firstFrame: number;
  readonly result: ClipInfo;
}

/** The size of the videos of a result: even sides, at most 720p, never larger than the result by more than a pixel. */
export function playbackSize({ width, height }: Size, kind: keyof typeof most = 'picture'): Size {
  const { longer, shorter } = most[kind];
  const scale = Math.min(1, longer / Math.max(width, height), shorter / Math.min(width, height));
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * scale) / 2));
  return { width: even(width), height: even(height) };
}

/**
 * Writes the video of a side to `file` (.mp4), whole or not at all. Every frame is the one that `decodeFrames` gives, so the
 * video has exactly the result's frames; those of high dynamic range are tone-mapped. Throws what `decodeFrames` and `openEncoder` throw; CanceledError.
 */
export async function writePlayback(file: string, source: PlaybackSource, signal?: AbortSignal): Promise<void> {
  throwIfCanceled(signal);
  const { displaySize, frameRate } = source.result;
  const isMap = source.side === 'difference' || source.side === 'flicker';
  const size = playbackSize(displaySize, isMap ? 'map' : 'picture');
  const encoder = await openEncoder(file, {
    ...size,
    frameRate,
    codec: 'h264',
    crf,
    colour,
    isForPlayback: true,
    signal,
  });
  try {
    for await (const frame of framesOf(source, size, signal)) await encoder.write(frame);
    await encoder.finish();
  } catch (error) {
    await encoder.abort();
    throw error;
  }
}

function framesOf(source: PlaybackSource, size: Size, signal: AbortSignal | undefined): AsyncIterable<Rgb24Frame> {
  const { side, firstFrame } = source;
  const [clip, result] = [toneMapped(source.clip), toneMapped(source.result)];
  const edit = () => decodeFrames(result, { size, signal });
  const original = () =>
    decodeFrames(clip, { startFrame: firstFrame, endFrame: firstFrame + result.frameCount, size, signal });
  if (side === 'edit') return edit();
  if (side === 'original') return original();
  return mapsOf(side, original(), edit());
}

interface Pair {
  readonly original: Uint8Array;
  readonly edit: Uint8Array;
}

function flickerOf(before: Pair, now: Pair): Uint8Array {
  return flickerMap({ before: before.original, now: now.original }, { before: before.edit, now: now.edit });
}

/** The first frame of an edit cannot flicker: it has none before it. */
async function* mapsOf(
  side: 'difference' | 'flicker',
  originals: AsyncGenerator<Rgb24Frame, void>,
  edits: AsyncGenerator<Rgb24Frame, void>,
): AsyncGenerator<Rgb24Frame, void> {
  let before: Pair | null = null;
  try {
    for await (const edit of edits) {
      const original = await originals.next();
      if (original.done === true) return;
      const now = { original: original.value.rgb, edit: edit.rgb };
      yield {
        ...edit,
        rgb: side === 'difference' ? differenceMap(now.original, now.edit) : flickerOf(before ?? now, now),
      };
      before = now;
    }
  } finally {
    await originals.return();
  }
}
