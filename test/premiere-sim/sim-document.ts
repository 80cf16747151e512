// What a project holds, as plain data: a transaction works on it, and undo puts an earlier copy back.

export interface SimClip {
  readonly id: number;
  name: string;
  /** Null for what has no project item. */
  itemId: string | null;
  kind: 'clip' | 'adjustment';
  start: bigint;
  end: bigint;
  inPoint: bigint;
  speed: number;
  isReversed: boolean;
  isDisabled: boolean;
  /** `negate` is an effect that can be seen in every pixel. */
  effect: 'none' | 'negate';
}

export interface SimTrackData {
  clips: SimClip[];
}

export interface SimSequenceData {
  readonly guid: string;
  name: string;
  readonly itemId: string;
  readonly ticksPerFrame: bigint;
  readonly width: number;
  readonly height: number;
  inPoint: bigint;
  outPoint: bigint;
  video: SimTrackData[];
  audio: SimTrackData[];
  properties: Record<string, string>;
}

export interface SimMedia {
  readonly frames: number;
  /** Length of a frame in ticks. */
  readonly ticksPerFrame: bigint;
  readonly hasAudio: boolean;
  /** The timecode of the first frame, in ticks from 00:00:00:00 on; 0 without one. */
  readonly start: bigint;
}

export interface SimItemData {
  readonly id: string;
  name: string;
  readonly kind: 'bin' | 'media' | 'title' | 'sequence';
  parentId: string;
  readonly path: string;
  isOffline: boolean;
  isMulticam: boolean;
  isMerged: boolean;
  hasProxy: boolean;
  readonly media: SimMedia | null;
  /** What a person has set in Interpret Footage; the file's own where it is left out. */
  interpretation?: { readonly frameRate?: number; readonly ignoresAlpha?: boolean; readonly invertsAlpha?: boolean };
  /** Marks of the person; null for the whole. */
  marks: { readonly inPoint: bigint; readonly outPoint: bigint } | null;
}

export interface SimDocument {
  sequences: SimSequenceData[];
  items: SimItemData[];
}

export const rootId = 'root';

export function copyDocument(document: SimDocument): SimDocument {
  return {
    sequences: document.sequences.map((sequence) => copySequence(sequence)),
    items: document.items.map((item) => ({ ...item })),
  };
}

export function copySequence(sequence: SimSequenceData): SimSequenceData {
  const copyTracks = (tracks: readonly SimTrackData[]): SimTrackData[] =>
    tracks.map(({ clips }) => ({ clips: clips.map((clip) => ({ ...clip })) }));
  return {
    ...sequence,
    video: copyTracks(sequence.video),
    audio: copyTracks(sequence.audio),
    properties: { ...sequence.properties },
  };
}

/** Ticks of an item that an edit takes. */
export function spanOfItem(item: SimItemData): { inPoint: bigint; outPoint: bigint } {
  if (item.marks !== null) return item.marks;
  const media = item.media ?? { frames: 0, ticksPerFrame: 0n };
  return { inPoint: 0n, outPoint: BigInt(media.frames) * media.ticksPerFrame };
}

/** Puts a clip on a track; what lies under it is trimmed, split or gone. `newId` numbers the second half of a split. */
export function overwrite(track: SimTrackData, clip: SimClip, newId: () => number): void {
  const kept = track.clips.flatMap((other): SimClip[] => {
    if (other.end <= clip.start || other.start >= clip.end) return [other];
    const parts: SimClip[] = [];
    if (other.start < clip.start) parts.push({ ...other, end: clip.start });
    if (other.end > clip.end) {
      const inPoint = other.inPoint + (clip.end - other.start);
      parts.push({ ...other, id: newId(), start: clip.end, inPoint });
    }
    return parts;
  });
  track.clips = [...kept, clip].sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** The part of a project that undo must bring back, as text to compare. */
export function describeSequence(sequence: SimSequenceData): string {
  return JSON.stringify(sequence, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
