// The results of probes, kept while the process runs, and stored with the clip for the next process. So a clip is probed
// once, not again for its upload, every estimate, its job and each of its pictures.

import { stat } from 'node:fs/promises';
import type { ClipInfo } from './clip-info.ts';
import { fromClipRecord, toClipRecord } from './clip-record.ts';
import { probeClip } from './probe.ts';

export interface KnownClips {
  /** As `probeClip`, but that is called only once for a file, for any number of calls, also under another name. */
  readonly infoOf: (path: string) => Promise<ClipInfo>;
}

/** Texts that outlive the process, by the path of their clip. */
export interface KeptRecords {
  /** Null where there is none. */
  read(path: string): string | null;
  /** False where none is kept of this file, as of one that is still on its way; `toText` is not called then. */
  write(path: string, toText: () => string): boolean;
}

interface KnownClip {
  readonly info: Promise<ClipInfo>;
  /** Nothing is left to be written. */
  isKept: boolean;
}

interface FileIdentity {
  /** Where it is on the disk, its size and when it was changed. */
  readonly here: string;
  /** The last two, which are the same after the machine restarts. */
  readonly fileKey: string;
}

/** Number of clips in memory, the most recently used. The times of an hour's frames take 3 MB. */
const rememberedClips = 64;

const noRecords: KeptRecords = { read: () => null, write: () => false };

/** A file is known again by its place on the disk, its size and when it was changed. Failures are not remembered. */
export function createKnownClips(
  probe: (path: string) => Promise<ClipInfo> = probeClip,
  records: KeptRecords = noRecords,
): KnownClips {
  const known = new Map<string, KnownClip>();

  function lookUp(path: string, fileKey: string): KnownClip {
    const record = records.read(path);
    const kept = record === null ? null : fromClipRecord(record, path, fileKey);
    return kept === null ? { info: probe(path), isKept: false } : { info: Promise.resolve(kept), isKept: true };
  }

  return {
    async infoOf(path) {
      const identity = await identityOf(path);
      if (identity === null) return probe(path);
      const { here, fileKey } = identity;
      const clip = known.get(here) ?? lookUp(path, fileKey);
      known.delete(here);
      known.set(here, clip);
      clip.info.catch(() => known.delete(here));
      const [oldest] = known.keys();
      if (known.size > rememberedClips && oldest !== undefined) known.delete(oldest);
      const info = await clip.info;
      // Not at its upload, when the clip has no row yet, but at the first request after it.
      if (!clip.isKept) clip.isKept = records.write(path, () => toClipRecord(info, fileKey));
      return { ...info, path };
    },
  };
}

/** Null for a missing file: the probe reports it. */
async function identityOf(path: string): Promise<FileIdentity | null> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    const fileKey = [size, mtimeNs].join(':');
    return { here: [dev, ino, fileKey].join(':'), fileKey };
  } catch {
    return null;
  }
}
