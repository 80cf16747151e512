// Fills the project of a simulated Premiere: sequences, media, clips on tracks, what is selected. None of it is a step of
// undo.

import type { SimCore } from './sim-core.ts';
import type { SimClip, SimSequenceData } from './sim-document.ts';

export interface SimTimeline {
  /** A sequence with tracks of nothing. Becomes the active one. */
  addSequence(wish: SequenceWish): SimSequenceData;
  /** Puts a film into the project. */
  addMedia(file: string): Promise<string>;
  /** Puts a clip on a track, in frames of the sequence. */
  addClip(sequence: SimSequenceData, wish: ClipWish): SimClip;
  select(sequence: SimSequenceData, ...clips: readonly SimClip[]): void;
}

export interface SequenceWish {
  readonly ticksPerFrame: bigint;
  /** Of video, and as many of audio. */
  readonly tracks: number;
  readonly width: number;
  readonly height: number;
}

export interface ClipWish {
  readonly track: number;
  readonly itemId: string | null;
  /** Ticks before the first frame, added to all. */
  readonly startFrame: number;
  readonly frames: number;
  readonly inFrame?: number;
  readonly changes?: Partial<SimClip>;
  readonly kind?: 'video' | 'audio';
}

export function createTimeline(core: SimCore): SimTimeline {
  return {
    addSequence({ ticksPerFrame, tracks, width, height }) {
      const guid = core.newGuid();
      const itemId = core.addItem({
        name: 'Main',
        kind: 'sequence',
        parentId: core.rootId,
        path: '',
        media: null,
        isOffline: false,
      });
      const empty = () => Array.from({ length: tracks }, () => ({ clips: [] }));
      core.document.sequences.push({
        guid,
        name: 'Main',
        itemId,
        ticksPerFrame,
        width,
        height,
        previewCodec: 'I-Frame Only MPEG',
        inPoint: 0n,
        outPoint: 0n,
        video: empty(),
        audio: empty(),
        properties: {},
      });
      core.activeSequenceGuid = guid;
      return core.sequence(guid);
    },
    async addMedia(file) {
      const media = await core.machine.probe(file);
      const name = file.replace(/^.*[\\/]/, '');
      return core.addItem({ name, kind: 'media', parentId: core.rootId, path: file, isOffline: false, media });
    },
    addClip(sequence, { track, itemId, startFrame, frames, inFrame = 0, changes, kind = 'video' }) {
      const frame = sequence.ticksPerFrame;
      const start = BigInt(startFrame) * frame;
      const clip: SimClip = {
        id: core.newId(),
        name: `clip ${track}`,
        itemId,
        kind: 'clip',
        start,
        end: start + BigInt(frames) * frame,
        inPoint: BigInt(inFrame) * frame,
        speed: 1,
        isReversed: false,
        isDisabled: false,
        effect: 'none',
        ...changes,
      };
      sequence[kind][track]?.clips.push(clip);
      return clip;
    },
    select(sequence, ...clips) {
      core.selected.set(sequence.guid, new Set(clips.map(({ id }) => id)));
    },
  };
}
