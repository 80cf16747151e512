// The result of a clip's probe as text, for a later process.

import type { ClipInfo } from './clip-info.ts';

/** Raised when the probe's result or its format changes: clips with a stored result are then probed again. */
const recordVersion = 2;

interface ClipRecord {
  readonly version: number;
  readonly fileKey: string;
  readonly clip: Omit<ClipInfo, 'frameTimes' | 'keyframeTimes'> & {
    readonly frameTimes: readonly number[] | null;
    readonly keyframeTimes: readonly number[];
  };
}

/** `fileKey` is anything that changes when the file does. */
export function toClipRecord(clip: ClipInfo, fileKey: string): string {
  const frameTimes = clip.frameTimes === null ? null : Array.from(clip.frameTimes);
  const keyframeTimes = Array.from(clip.keyframeTimes);
  const record: ClipRecord = { version: recordVersion, fileKey, clip: { ...clip, frameTimes, keyframeTimes } };
  return JSON.stringify(record);
}

/** Null if the text is of another version, of a file that has changed meanwhile, or damaged. */
export function fromClipRecord(text: string, path: string, fileKey: string): ClipInfo | null {
  const record = parse(text);
  if (record === null || record.version !== recordVersion || record.fileKey !== fileKey) return null;
  const { clip } = record;
  if (clip === undefined) return null;
  return {
    ...clip,
    path,
    frameTimes: clip.frameTimes === null ? null : Float64Array.from(clip.frameTimes),
    keyframeTimes: Float64Array.from(clip.keyframeTimes),
  };
}

function parse(text: string): Partial<ClipRecord> | null {
  try {
    return JSON.parse(text) as Partial<ClipRecord> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
