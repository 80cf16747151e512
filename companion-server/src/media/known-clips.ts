// What was found in a clip, kept for as long as the process runs: it is probed once, not again for its upload, every estimate,
// its job and each of its pictures.

import { stat } from 'node:fs/promises';
import type { ClipInfo } from './clip-info.ts';
import { probeClip } from './probe.ts';

export interface KnownClips {
  /** As `probeClip`, which is called once for a file however often it is asked for, also under another name. */
  readonly infoOf: (path: string) => Promise<ClipInfo>;
}

/** Clips that are remembered, those asked for last. The times of an hour's frames take 3 MB. */
const rememberedClips = 64;

/** A file is known again by its place on the disk, its size and when it was changed. Failures are not remembered. */
export function createKnownClips(probe: (path: string) => Promise<ClipInfo> = probeClip): KnownClips {
  const known = new Map<string, Promise<ClipInfo>>();
  return {
    async infoOf(path) {
      const key = await identityOf(path);
      if (key === null) return probe(path);
      const info = known.get(key) ?? probe(path);
      known.delete(key);
      known.set(key, info);
      info.catch(() => known.delete(key));
      const [oldest] = known.keys();
      if (known.size > rememberedClips && oldest !== undefined) known.delete(oldest);
      return { ...(await info), path };
    },
  };
}

/** Null for what is not there: probing says why. */
async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(':');
  } catch {
    return null;
  }
}
