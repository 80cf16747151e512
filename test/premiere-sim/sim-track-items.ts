// Clips on tracks, and selections of them. Both are good until the next transaction.

import type {
  Action,
  AudioClipTrackItem,
  AudioTrack,
  Constants,
  Guid,
  ProjectItem,
  TickTime,
  TrackItemSelection,
  VideoClipTrackItem,
  VideoTrack,
} from '@adobe/premierepro';
import type { SimClip } from './sim-document.ts';
import type { SimCore } from './sim-core.ts';
import { simConstants } from './sim-constants.ts';
import { SimProjectItem } from './sim-items.ts';
import { guid, tickTime } from './sim-time.ts';

const mediaTypes = { video: guid('media-type-video'), audio: guid('media-type-audio') };

export class SimTrackItem {
  readonly core: SimCore;
  readonly sequenceGuid: string;
  readonly kind: 'video' | 'audio';
  readonly clipId: number;
  private readonly generation: number;

  constructor(core: SimCore, sequenceGuid: string, kind: 'video' | 'audio', clipId: number) {
    this.core = core;
    this.sequenceGuid = sequenceGuid;
    this.kind = kind;
    this.clipId = clipId;
    this.generation = core.generation;
  }

  /** Throws when the object was read before the last transaction. */
  requireFresh(): void {
    if (this.generation === this.core.generation) return;
    this.core.violate('stale-object', `Clip ${this.clipId} was read before a transaction.`);
  }
  private get found(): { clip: SimClip; trackIndex: number } {
    this.requireFresh();
    return this.core.clip(this.sequenceGuid, this.kind, this.clipId);
  }

  private async read<T>(get: (clip: SimClip) => T): Promise<T> {
    const { clip } = this.found;
    await Promise.resolve();
    return get(clip);
  }
  private change(name: string, apply: (clip: SimClip) => void): Action {
    this.requireFresh();
    return this.core.action(name, (document) => {
      const sequence = document.sequences.find((one) => one.guid === this.sequenceGuid);
      const tracks = sequence?.[this.kind] ?? [];
      const clip = tracks.flatMap(({ clips }) => clips).find(({ id }) => id === this.clipId);
      if (clip === undefined) throw new Error('The script object is no longer valid.');
      apply(clip);
    });
  }

  getName = (): Promise<string> => this.read(({ name }) => name);
  getIsSelected = (): Promise<boolean> =>
    this.read(({ id }) => this.core.selected.get(this.sequenceGuid)?.has(id) === true);
  getSpeed = (): Promise<number> => this.read(({ speed }) => speed);
  isAdjustmentLayer = (): Promise<boolean> => this.read(({ kind }) => kind === 'adjustment');
  // Declared as a number, and a number it is.
  isSpeedReversed = (): Promise<number> => this.read(({ isReversed }) => (isReversed ? 1 : 0));
  getInPoint = (): Promise<TickTime> => this.read(({ inPoint }) => tickTime(inPoint));
  getOutPoint = (): Promise<TickTime> => this.read(({ inPoint, start, end }) => tickTime(inPoint + end - start));
  getStartTime = (): Promise<TickTime> => this.read(({ start }) => tickTime(start));
  getEndTime = (): Promise<TickTime> => this.read(({ end }) => tickTime(end));
  getDuration = (): Promise<TickTime> => this.read(({ start, end }) => tickTime(end - start));
  isDisabled = (): Promise<boolean> => this.read(({ isDisabled }) => isDisabled);
  createSetDisabledAction = (disabled: boolean): Action =>
    this.change('set-disabled', (clip) => void (clip.isDisabled = disabled));
  getMediaType = (): Promise<Guid> => this.read(() => mediaTypes[this.kind]);
  getTrackIndex = (): Promise<number> => Promise.resolve(this.found.trackIndex);
  getProjectItem = (): Promise<ProjectItem> =>
    this.read(({ itemId }) =>
      itemId === null ? (null as unknown as ProjectItem) : new SimProjectItem(this.core, itemId),
    );

  getMatchName = (): Promise<string> => this.core.notSimulated('getMatchName');
  getType = (): Promise<number> => this.core.notSimulated('getType');
  getComponentChain = (): Promise<never> => this.core.notSimulated('getComponentChain');
  createMoveAction = (): Action => this.core.notSimulated('createMoveAction');
  createSetInPointAction = (): Action => this.core.notSimulated('item.createSetInPointAction');
  createSetOutPointAction = (): Action => this.core.notSimulated('item.createSetOutPointAction');
  createSetStartAction = (): Action => this.core.notSimulated('createSetStartAction');
  createSetEndAction = (): Action => this.core.notSimulated('createSetEndAction');
  createSetNameAction = (): Action => this.core.notSimulated('item.createSetNameAction');
}

export class SimVideoItem extends SimTrackItem implements VideoClipTrackItem {
  createAddVideoTransitionAction = (): Action => this.core.notSimulated('addVideoTransition');
  createRemoveVideoTransitionAction = (): Action => this.core.notSimulated('removeTransition');
}

export class SimAudioItem extends SimTrackItem implements AudioClipTrackItem {}

class SimTrack {
  protected readonly core: SimCore;
  protected readonly sequenceGuid: string;
  protected readonly index: number;
  private readonly kind: 'video' | 'audio';

  constructor(core: SimCore, sequenceGuid: string, kind: 'video' | 'audio', index: number) {
    this.core = core;
    this.sequenceGuid = sequenceGuid;
    this.kind = kind;
    this.index = index;
  }

  get name(): string {
    return `${this.kind} ${this.index + 1}`;
  }
  get id(): number {
    return this.index;
  }
  protected clips(type: Constants.TrackItemType, withEmpty: boolean): SimClip[] {
    if (type !== simConstants.TrackItemType.CLIP) {
      this.core.violate('constant-at-run-time', `getTrackItems of ${String(type)}`);
    }
    if (withEmpty) this.core.notSimulated('getTrackItems with empty ones');
    return this.core.sequence(this.sequenceGuid)[this.kind][this.index]?.clips ?? [];
  }
  getMediaType = (): Promise<Guid> => Promise.resolve(mediaTypes[this.kind]);
  getIndex = (): Promise<number> => Promise.resolve(this.index);
  createSetNameAction = (): object => this.core.notSimulated('track.createSetNameAction');
  setMute = (): Promise<boolean> => this.core.notSimulated('setMute');
  isMuted = (): Promise<boolean> => this.core.notSimulated('isMuted');
}

export class SimVideoTrack extends SimTrack implements VideoTrack {
  getTrackItems(type: Constants.TrackItemType, withEmpty: boolean): VideoClipTrackItem[] {
    return this.clips(type, withEmpty).map(({ id }) => new SimVideoItem(this.core, this.sequenceGuid, 'video', id));
  }
}

export class SimAudioTrack extends SimTrack implements AudioTrack {
  getTrackItems(type: Constants.TrackItemType, withEmpty: boolean): AudioClipTrackItem[] {
    return this.clips(type, withEmpty).map(({ id }) => new SimAudioItem(this.core, this.sequenceGuid, 'audio', id));
  }
}

export class SimSelection implements TrackItemSelection {
  readonly origin: 'sequence' | 'empty';
  readonly items: SimTrackItem[];
  private readonly core: SimCore;
  private readonly generation: number;

  constructor(core: SimCore, origin: 'sequence' | 'empty', items: readonly SimTrackItem[]) {
    this.core = core;
    this.origin = origin;
    this.items = [...items];
    this.generation = core.generation;
  }

  requireFresh(): void {
    if (this.generation === this.core.generation) return;
    this.core.violate('stale-object', 'A selection was read before a transaction.');
  }
  addItem(item: VideoClipTrackItem | AudioClipTrackItem): boolean {
    this.requireFresh();
    if (!(item instanceof SimTrackItem)) throw new Error('Illegal Parameter type');
    this.items.push(item);
    return true;
  }
  removeItem(): boolean {
    return this.core.notSimulated('removeItem');
  }
  async getTrackItems(): Promise<(VideoClipTrackItem | AudioClipTrackItem)[]> {
    this.requireFresh();
    await Promise.resolve();
    return this.items.filter((item) => item instanceof SimVideoItem || item instanceof SimAudioItem);
  }
}
