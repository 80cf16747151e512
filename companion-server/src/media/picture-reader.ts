// Single frames, and maps of them, for many readers: a clip is probed once while its pictures are asked for, and few are decoded at a time.

import type { ClipInfo } from './clip-info.ts';
import { readMapOf, type MapKind } from './map-picture.ts';
import { readPictureOf } from './picture.ts';
import { probeClip } from './probe.ts';

/** Clips whose probe is remembered, those asked for last. */
const rememberedClips = 16;
/** Pictures that are decoded at the same time. */
const maxReading = 4;

export interface PictureReaderOptions {
  readonly probe?: (path: string) => Promise<ClipInfo>;
  readonly read?: (clip: ClipInfo, frameIndex: number, maxSide: number) => Promise<Uint8Array>;
}

/** A frame of a file, 0-based. */
export interface FrameOfFile {
  readonly path: string;
  readonly frameIndex: number;
}

export interface PictureReader {
  /** As `readPicture` of picture.ts. */
  readonly readPicture: (path: string, frameIndex: number, maxSide: number) => Promise<Uint8Array>;
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
  const waiting: (() => void)[] = [];
  let reading = 0;

  function infoOf(path: string): Promise<ClipInfo> {
    const info = probed.get(path) ?? probe(path);
    probed.delete(path);
    probed.set(path, info);
    info.catch(() => probed.delete(path));
    const [oldest] = probed.keys();
    if (probed.size > rememberedClips && oldest !== undefined) probed.delete(oldest);
    return info;
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    // A turn is handed on as it is, so that nobody who comes later takes it.
    if (reading >= maxReading) await new Promise<void>((resolve) => waiting.push(resolve));
    else reading++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) reading--;
      else next();
    }
  }

  const shotOf = async ({ path, frameIndex }: FrameOfFile) => ({
    clip: await infoOf(path),
    frameIndex,
  });

  return {
    readPicture: (path, frameIndex, maxSide) => inTurn(async () => read(await infoOf(path), frameIndex, maxSide)),
    readMap: (kind, original, edit, maxSide) =>
      inTurn(async () => readMapOf(kind, await shotOf(original), await shotOf(edit), maxSide)),
  };
}
