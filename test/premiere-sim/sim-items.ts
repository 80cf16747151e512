// Project items as Premiere hands them out: the same thing as ProjectItem, ClipProjectItem or FolderItem, by cast.

import type {
  Action,
  ClipProjectItem,
  Constants,
  FolderItem,
  FootageInterpretation,
  Media,
  Project,
  ProjectItem,
  Sequence,
  TickTime,
} from '@adobe/premierepro';
import { ticksPerSecond } from '../../plugin/src/host/ticks.ts';
import { simConstants } from './sim-constants.ts';
import { spanOfItem, type SimItemData } from './sim-document.ts';
import type { SimCore } from './sim-core.ts';
import { tickTime, ticksOf } from './sim-time.ts';

/** Numbers of the kinds of items; made up. */
const typeOf = { bin: 902, media: 901, title: 901, sequence: 901, root: 903 } as const;

class SimItem {
  protected readonly core: SimCore;
  readonly id: string;

  constructor(core: SimCore, id: string) {
    this.core = core;
    this.id = id;
  }

  protected get data(): SimItemData {
    return this.core.item(this.id);
  }
  get name(): string {
    return this.id === this.core.rootId ? 'Root' : this.data.name;
  }
  get type(): number {
    return this.id === this.core.rootId ? typeOf.root : typeOf[this.data.kind];
  }
  createSetNameAction(name: string): Action {
    return this.core.action('set-name', (document) => {
      const item = document.items.find(({ id }) => id === this.id);
      if (item !== undefined) item.name = name;
      const sequence = document.sequences.find(({ itemId }) => itemId === this.id);
      if (sequence !== undefined) sequence.name = name;
    });
  }
  getColorLabelIndex(): Promise<number> {
    return this.core.notSimulated('getColorLabelIndex');
  }
  createSetColorLabelAction(): Action {
    return this.core.notSimulated('createSetColorLabelAction');
  }
  getProject(): Promise<Project> {
    return this.core.notSimulated('item.getProject');
  }
}

export class SimProjectItem extends SimItem implements ProjectItem {
  getId(): string {
    return this.id;
  }
  getParentBin(): FolderItem {
    return new SimFolderItem(this.core, this.data.parentId);
  }
}

export class SimFolderItem extends SimItem implements FolderItem {
  createBinAction(name: string, makeUnique: boolean): Action {
    if (makeUnique) this.core.notSimulated('createBinAction with a unique name');
    const id = `bin-${this.core.newId()}`;
    return this.core.action('create-bin', (document) => {
      document.items.push({
        id,
        name,
        kind: 'bin',
        parentId: this.id,
        path: '',
        media: null,
        marks: null,
        isOffline: false,
        isMulticam: false,
        isMerged: false,
        hasProxy: false,
      });
    });
  }
  createSmartBinAction(): Action {
    return this.core.notSimulated('createSmartBinAction');
  }
  createRenameBinAction(name: string): Action {
    return this.createSetNameAction(name);
  }
  async getItems(): Promise<ProjectItem[]> {
    await Promise.resolve();
    const inside = this.core.document.items.filter(({ parentId }) => parentId === this.id);
    return inside.map(({ id }) => new SimProjectItem(this.core, id));
  }
  createRemoveItemAction(item: ProjectItem): Action {
    const id = item.getId();
    return this.core.action('remove-item', (document) => {
      document.items = document.items.filter((one) => one.id !== id);
    });
  }
  createMoveItemAction(): Action {
    return this.core.notSimulated('createMoveItemAction');
  }
}

export class SimClipProjectItem extends SimItem implements ClipProjectItem {
  isSequence(): Promise<boolean> {
    return Promise.resolve(this.data.kind === 'sequence');
  }
  isOffline(): Promise<boolean> {
    return Promise.resolve(this.data.isOffline);
  }
  isMergedClip(): Promise<boolean> {
    return Promise.resolve(this.data.isMerged);
  }
  isMulticamClip(): Promise<boolean> {
    return Promise.resolve(this.data.isMulticam);
  }
  hasProxy(): Promise<boolean> {
    return Promise.resolve(this.data.hasProxy);
  }
  getMediaFilePath(): Promise<string> {
    return Promise.resolve(this.data.path);
  }
  getFootageInterpretation(): Promise<FootageInterpretation> {
    const { media } = this.data;
    const rate = media === null ? 0 : Number(ticksPerSecond) / Number(media.ticksPerFrame);
    const { frameRate = rate, ignoresAlpha = false, invertsAlpha = false } = this.data.interpretation ?? {};
    // Of its many members these are looked at.
    return Promise.resolve({
      getFrameRate: () => frameRate,
      getIgnoreAlpha: () => ignoresAlpha,
      getInvertAlpha: () => invertsAlpha,
    } as FootageInterpretation);
  }
  getMedia(): Promise<Media> {
    const { media } = this.data;
    if (media === null) return this.core.notSimulated('getMedia of what is no file');
    return Promise.resolve({
      start: tickTime(media.start),
      duration: tickTime(BigInt(media.frames) * media.ticksPerFrame),
      createSetStartAction: () => this.core.notSimulated('createSetStartAction'),
    });
  }
  getInPoint(mediaType: Constants.MediaType): Promise<TickTime> {
    this.requireVideo(mediaType);
    return Promise.resolve(tickTime(spanOfItem(this.data).inPoint));
  }
  getOutPoint(mediaType: Constants.MediaType): Promise<TickTime> {
    this.requireVideo(mediaType);
    return Promise.resolve(tickTime(spanOfItem(this.data).outPoint));
  }
  createSetInOutPointsAction(inPoint: TickTime, outPoint: TickTime): Action {
    return this.setMarks({ inPoint: ticksOf(inPoint), outPoint: ticksOf(outPoint) });
  }
  createClearInOutPointsAction(): Action {
    return this.setMarks(null);
  }
  private requireVideo(mediaType: Constants.MediaType): void {
    if (mediaType === simConstants.MediaType.VIDEO) return;
    this.core.violate('constant-at-run-time', `media type ${String(mediaType)}`);
  }
  private setMarks(marks: SimItemData['marks']): Action {
    return this.core.action('set-marks', (document) => {
      const item = document.items.find(({ id }) => id === this.id);
      if (item !== undefined) item.marks = marks;
    });
  }

  getInputLUTID = (): Promise<string> => this.core.notSimulated('getInputLUTID');
  createSetInputLUTIDAction = (): Action => this.core.notSimulated('createSetInputLUTIDAction');
  canChangeMediaPath = (): Promise<boolean> => this.core.notSimulated('canChangeMediaPath');
  canProxy = (): Promise<boolean> => this.core.notSimulated('canProxy');
  getProxyPath = (): Promise<string> => this.core.notSimulated('getProxyPath');
  attachProxy = (): Promise<boolean> => this.core.notSimulated('attachProxy');
  findItemsMatchingMediaPath = (): Promise<ProjectItem[]> => this.core.notSimulated('findItems');
  refreshMedia = (): Promise<boolean> => this.core.notSimulated('refreshMedia');
  createSetOfflineAction = (): Action => this.core.notSimulated('createSetOfflineAction');
  createSetFootageInterpretationAction = (): Action => this.core.notSimulated('setFootage');
  changeMediaFilePath = (): Promise<boolean> => this.core.notSimulated('changeMediaFilePath');
  createSubClipAction = (): Action => this.core.notSimulated('createSubClipAction');
  getEmbeddedLUTID = (): Promise<string> => this.core.notSimulated('getEmbeddedLUTID');
  createSetScaleToFrameSizeAction = (): Action => this.core.notSimulated('setScaleToFrameSize');
  getContentType = (): Promise<Constants.ContentType> => this.core.notSimulated('getContentType');
  getSequence = (): Promise<Sequence> => this.core.notSimulated('clip.getSequence');
  getComponentChain = (): Promise<string> => this.core.notSimulated('getComponentChain');
  createSetInPointAction = (): Action => this.core.notSimulated('clip.createSetInPointAction');
  createSetOutPointAction = (): Action => this.core.notSimulated('clip.createSetOutPointAction');
  createSetOverridePixelAspectRatioAction = (): Action => this.core.notSimulated('setPixelAspect');
  createSetOverrideFrameRateAction = (): Action => this.core.notSimulated('setOverrideFrameRate');
  getOriginatingProjectPath = (): Promise<string> => this.core.notSimulated('getOriginating');
}

/** Null for a bin, as Premiere's cast is reported to give. */
export function castToClip(core: SimCore, item: { readonly id?: string }): SimClipProjectItem | null {
  const data = core.document.items.find(({ id }) => id === item.id);
  if (data === undefined || data.kind === 'bin') return null;
  return new SimClipProjectItem(core, data.id);
}

export function castToFolder(core: SimCore, item: { readonly id?: string }): SimFolderItem | null {
  const data = core.document.items.find(({ id }) => id === item.id);
  return data?.kind === 'bin' ? new SimFolderItem(core, data.id) : null;
}
