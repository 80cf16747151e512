// Sequences, their editor and their properties.

import type {
  Action,
  AudioClipTrackItem,
  AudioTrack,
  CaptionTrack,
  Constants,
  Guid,
  ProjectItem,
  Properties,
  RectF,
  Sequence,
  SequenceEditor,
  SequenceSettings,
  TickTime,
  TimeDisplay,
  TrackItemSelection,
  VideoClipTrackItem,
  VideoTrack,
} from '@adobe/premierepro';
import { copySequence, overwrite, spanOfItem, type SimDocument, type SimSequenceData } from './sim-document.ts';
import { simConstants } from './sim-constants.ts';
import type { SimCore } from './sim-core.ts';
import { SimProjectItem } from './sim-items.ts';
import { guid, rect, tickTime, ticksOf } from './sim-time.ts';
import { SimAudioItem, SimAudioTrack, SimSelection, SimVideoItem, SimVideoTrack } from './sim-track-items.ts';

function sequenceIn(document: SimDocument, sequenceGuid: string): SimSequenceData {
  const found = document.sequences.find((one) => one.guid === sequenceGuid);
  if (found === undefined) throw new Error('The script object is no longer valid.');
  return found;
}

export class SimSequence implements Sequence {
  readonly id: string;
  private readonly core: SimCore;

  constructor(core: SimCore, id: string) {
    this.core = core;
    this.id = id;
  }

  private get data(): SimSequenceData {
    return this.core.sequence(this.id);
  }
  private change(name: string, apply: (sequence: SimSequenceData) => void): Action {
    this.core.sequence(this.id);
    return this.core.action(name, (document) => apply(sequenceIn(document, this.id)));
  }
  get guid(): Guid {
    return guid(this.id);
  }
  get name(): string {
    return this.data.name;
  }
  getPlayerPosition = (): Promise<TickTime> => Promise.resolve(tickTime(this.core.playheads.get(this.id) ?? 0n));
  setPlayerPosition(position?: TickTime): Promise<boolean> {
    if (position !== undefined) this.core.playheads.set(this.id, ticksOf(position));
    return Promise.resolve(true);
  }
  clearSelection(): Promise<boolean> {
    this.core.selected.delete(this.id);
    return Promise.resolve(true);
  }
  setSelection(selection: TrackItemSelection): boolean {
    if (!(selection instanceof SimSelection)) throw new Error('Illegal Parameter type');
    selection.requireFresh();
    this.core.selected.set(this.id, new Set(selection.items.map(({ clipId }) => clipId)));
    return true;
  }
  getSelection(): Promise<TrackItemSelection> {
    const ids = this.core.selected.get(this.id) ?? new Set();
    const video = this.data.video.flatMap(({ clips }) => clips).filter(({ id }) => ids.has(id));
    const audio = this.data.audio.flatMap(({ clips }) => clips).filter(({ id }) => ids.has(id));
    const items = [
      ...video.map(({ id }) => new SimVideoItem(this.core, this.id, 'video', id)),
      ...audio.map(({ id }) => new SimAudioItem(this.core, this.id, 'audio', id)),
    ];
    return Promise.resolve(new SimSelection(this.core, 'sequence', items));
  }
  getVideoTrackCount = (): Promise<number> => Promise.resolve(this.data.video.length);
  getAudioTrackCount = (): Promise<number> => Promise.resolve(this.data.audio.length);
  getVideoTrack(index: number): Promise<VideoTrack> {
    if (index < 0 || index >= this.data.video.length) this.core.violate('track-index', `V${index + 1}`);
    return Promise.resolve(new SimVideoTrack(this.core, this.id, 'video', index));
  }
  getAudioTrack(index: number): Promise<AudioTrack> {
    if (index < 0 || index >= this.data.audio.length) this.core.violate('track-index', `A${index + 1}`);
    return Promise.resolve(new SimAudioTrack(this.core, this.id, 'audio', index));
  }
  createCloneAction(): Action {
    const copyGuid = this.core.newGuid();
    const itemId = `item-${this.core.newId()}`;
    return this.core.action('clone-sequence', (document) => {
      const original = sequenceIn(document, this.id);
      const name = `${original.name} Copy`;
      const copy = copySequence({ ...original, guid: copyGuid, itemId, name, properties: {} });
      for (const track of [...copy.video, ...copy.audio]) {
        track.clips = track.clips.map((clip) => ({ ...clip, id: this.core.newId() }));
      }
      document.sequences.push(copy);
      document.items.push({
        id: itemId,
        name,
        kind: 'sequence',
        parentId: this.core.rootId,
        path: '',
        isOffline: false,
        isMulticam: false,
        isMerged: false,
        hasProxy: false,
        media: null,
        marks: null,
      });
    });
  }
  getEndTime(): Promise<TickTime> {
    const ends = this.data.video.flatMap(({ clips }) => clips).map(({ end }) => end);
    return Promise.resolve(tickTime(ends.reduce((last, end) => (end > last ? end : last), 0n)));
  }
  getInPoint = (): Promise<TickTime> => Promise.resolve(tickTime(this.data.inPoint));
  getOutPoint = (): Promise<TickTime> => Promise.resolve(tickTime(this.data.outPoint));
  createSetInPointAction = (time: TickTime): Action =>
    this.change('set-in', (sequence) => void (sequence.inPoint = ticksOf(time)));
  createSetOutPointAction = (time: TickTime): Action =>
    this.change('set-out', (sequence) => void (sequence.outPoint = ticksOf(time)));
  getProjectItem = (): Promise<ProjectItem> => Promise.resolve(new SimProjectItem(this.core, this.data.itemId));
  getFrameSize = (): Promise<RectF> => Promise.resolve(rect(this.data.width, this.data.height));
  getTimebase = (): Promise<string> => Promise.resolve(String(this.data.ticksPerFrame));

  getSequenceVideoTimeDisplayFormat = (): Promise<TimeDisplay> => this.core.notSimulated('display');
  getSequenceAudioTimeDisplayFormat = (): Promise<TimeDisplay> => this.core.notSimulated('display');
  getCaptionTrackCount = (): Promise<number> => this.core.notSimulated('getCaptionTrackCount');
  getCaptionTrack = (): Promise<CaptionTrack> => this.core.notSimulated('getCaptionTrack');
  getSettings = (): Promise<SequenceSettings> => {
    const { previewCodec } = this.data;
    // Of its many members this one is looked at.
    return previewCodec === null
      ? Promise.reject(new Error('The settings of the sequence cannot be read.'))
      : Promise.resolve({ getPreviewCodec: () => Promise.resolve(previewCodec) } as SequenceSettings);
  };
  createSetSettingsAction = (): Action => this.core.notSimulated('createSetSettingsAction');
  createSubsequence = (): Promise<Sequence> => this.core.notSimulated('createSubsequence');
  isDoneAnalyzingForVideoEffects = (): Promise<boolean> => this.core.notSimulated('isDoneAnalyzing');
  getZeroPoint = (): Promise<TickTime> => this.core.notSimulated('getZeroPoint');
  createSetZeroPointAction = (): Action => this.core.notSimulated('createSetZeroPointAction');
}

export class SimSequenceEditor implements SequenceEditor {
  private readonly core: SimCore;
  private readonly sequenceGuid: string;

  constructor(core: SimCore, sequenceGuid: string) {
    this.core = core;
    this.sequenceGuid = sequenceGuid;
  }

  createRemoveItemsAction(selection: TrackItemSelection, ripple: boolean, mediaType: Constants.MediaType): Action {
    if (!(selection instanceof SimSelection)) throw new Error('Illegal Parameter type');
    if (selection.origin === 'empty') {
      this.core.violate('empty-selection', 'The script object is no longer valid.');
    }
    selection.requireFresh();
    if (ripple) this.core.notSimulated('ripple');
    if (mediaType !== simConstants.MediaType.VIDEO) {
      this.core.violate('constant-at-run-time', `media type ${String(mediaType)}`);
    }
    const ids = new Set(selection.items.map(({ clipId }) => clipId));
    return this.core.action('remove-clips', (document) => {
      for (const track of sequenceIn(document, this.sequenceGuid).video) {
        track.clips = track.clips.filter(({ id }) => !ids.has(id));
      }
    });
  }

  createOverwriteItemAction(projectItem: ProjectItem, time: TickTime, videoIndex: number, audioIndex: number): Action {
    if (!(projectItem instanceof SimProjectItem)) this.core.violate('uncast-item', 'It was cast.');
    const { video, audio } = this.core.sequence(this.sequenceGuid);
    if (video[videoIndex] === undefined || audio[audioIndex] === undefined) {
      this.core.violate('track-index', `invalid track index V${videoIndex + 1}, A${audioIndex + 1}`);
    }
    const { id } = projectItem;
    const start = ticksOf(time);
    return this.core.action('overwrite', (document) => {
      const item = document.items.find((one) => one.id === id);
      if (item === undefined) throw new Error('The script object is no longer valid.');
      const { inPoint, outPoint } = spanOfItem(item);
      const clip = () => ({
        id: this.core.newId(),
        name: item.name,
        itemId: id,
        kind: 'clip' as const,
        start,
        end: start + outPoint - inPoint,
        inPoint,
        speed: 1,
        isReversed: false,
        isDisabled: false,
        effect: 'none' as const,
      });
      const sequence = sequenceIn(document, this.sequenceGuid);
      const videoTrack = sequence.video[videoIndex];
      const audioTrack = sequence.audio[audioIndex];
      if (videoTrack !== undefined) overwrite(videoTrack, clip(), () => this.core.newId());
      if (item.media?.hasAudio === true && audioTrack !== undefined) {
        overwrite(audioTrack, clip(), () => this.core.newId());
      }
    });
  }

  createInsertProjectItemAction = (): Action => this.core.notSimulated('insert');
  createCloneTrackItemAction = (): Action => this.core.notSimulated('createCloneTrackItemAction');
  insertMogrtFromPath = (): (VideoClipTrackItem | AudioClipTrackItem)[] =>
    this.core.notSimulated('insertMogrtFromPath');
  insertMogrtFromLibrary = (): (VideoClipTrackItem | AudioClipTrackItem)[] =>
    this.core.notSimulated('insertMogrtFromLibrary');
}

export class SimProperties implements Properties {
  private readonly core: SimCore;
  private readonly sequenceGuid: string;

  constructor(core: SimCore, sequenceGuid: string) {
    this.core = core;
    this.sequenceGuid = sequenceGuid;
  }

  hasValue(name: string): boolean {
    return Object.hasOwn(this.core.sequence(this.sequenceGuid).properties, name);
  }
  getValue(name: string): string {
    const value = this.core.sequence(this.sequenceGuid).properties[name];
    return value ?? this.core.violate('property-absent', name);
  }
  createSetValueAction(name: string, value: boolean | string | number, persistence: Constants.PropertyType): Action {
    if (persistence !== simConstants.PropertyType.PERSISTENT) {
      this.core.violate('constant-at-run-time', `persistence ${String(persistence)}`);
    }
    return this.core.action('set-property', (document) => {
      sequenceIn(document, this.sequenceGuid).properties[name] = String(value);
    });
  }
  createClearValueAction = (): Action => this.core.notSimulated('createClearValueAction');
  getValueAsInt = (): number => this.core.notSimulated('getValueAsInt');
  getValueAsFloat = (): number => this.core.notSimulated('getValueAsFloat');
  getValueAsBool = (): boolean => this.core.notSimulated('getValueAsBool');
}
