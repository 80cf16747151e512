// Single frames, and maps of them, for many readers: a clip is probed once while its pictures are asked for, and few are decoded at a time.

import { createTurns } from '../../../../protocol/turns.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { readMapOf, type MapKind } from './map-picture.ts';
import { readPictureOf, readStillOf, type PictureOptions } from './picture.ts';
import { probeClip } from '../probe/probe.ts';

/** Number of clips whose probe is kept, the most recently used. */
const rememberedClips = 16;
/** Pictures that are decoded at the same time. */
const maxReading = 4;

export interface PictureReaderOptions {
  readonly probe?: (path: string) => Promise<ClipInfo>;
  readonly read?: typeof readPictureOf;
}

/** A frame of a file, 0-based. */
export interface FrameOfFile {
  readonly path: string;
  readonly frameIndex: number;
}

export interface PictureReader {
  /** As `readPicture` of picture.ts. */
  readonly readPicture: (
    path: string,
    frameIndex: number,
    maxSide: number,
    options?: Pick<PictureOptions, 'draw'>,
  ) => Promise<Uint8Array>;
  /** As `readStillOf` of picture.ts. */
  readonly readStill: (path: string, frameIndex: number) => Promise<Uint8Array>;
  /** As `readMapOf` of map-picture.ts. */
  readonly readMap: (kind: MapKind, original: FrameOfFile, edit: FrameOfFile, maxSide: number) => Promise<Uint8Array>;
}

/**
 * A file must not change while there is a reader, which holds for the server's clips and results: their names are never
 * used again.
 */
export function createPictureReader({
  probe = probeClip,
  read = readPictureOf,
}: PictureReaderOptions = {}): PictureReader {
  const probed = new Map<string, Promise<ClipInfo>>();
  const turns = createTurns(maxReading);

  function infoOf(path: string): Promise<ClipInfo> {
    const info = probed.get(path) ?? probe(path);
    probed.delete(path);
    probed.set(path, info);
    info.catch(() => probed.delete(path));
    const [oldest] = probed.keys();
    if (probed.size > rememberedClips && oldest !== undefined) probed.delete(oldest);
    return info;
  }

  const shotOf = async ({ path, frameIndex }: FrameOfFile) => ({
    clip: await infoOf(path),
    frameIndex,
  });

  return {
    readPicture: (path, frameIndex, maxSide, options) =>
      turns.take(async () => read(await infoOf(path), frameIndex, maxSide, options)),
    readStill: (path, frameIndex) => turns.take(async () => readStillOf(await infoOf(path), frameIndex)),
    readMap: (kind, original, edit, maxSide) =>
      turns.take(async () => readMapOf(kind, await shotOf(original), await shotOf(edit), maxSide)),
  };
}
