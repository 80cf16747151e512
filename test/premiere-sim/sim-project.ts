// The open project: its sequences, its bins, imports and transactions.

import type {
  ClipProjectItem,
  CompoundAction,
  FolderItem,
  Guid,
  Project,
  ProjectColorSettings,
  ProjectItem,
  Sequence,
} from '@adobe/premierepro';
import type { SimCore } from './sim-core.ts';
import { copySequence } from './sim-document.ts';
import { SimClipProjectItem, SimFolderItem } from './sim-items.ts';
import { SimSequence } from './sim-sequence.ts';
import { guid } from './sim-time.ts';
import { createTimeline } from './sim-timeline.ts';

export class SimProject implements Project {
  private readonly core: SimCore;

  constructor(core: SimCore) {
    this.core = core;
  }

  get guid(): Guid {
    return guid(this.core.projectGuid);
  }
  get name(): string {
    return this.core.projectPath.replace(/^.*[\\/]/, '') || 'Untitled.prproj';
  }
  get path(): string {
    return this.core.projectPath;
  }
  getActiveSequence(): Promise<Sequence> {
    const active = this.core.activeSequenceGuid;
    const none = null as unknown as Sequence;
    return Promise.resolve(active === null ? none : new SimSequence(this.core, active));
  }
  setActiveSequence(sequence: Sequence): Promise<boolean> {
    this.core.activeSequenceGuid = sequence.guid.toString();
    return Promise.resolve(true);
  }
  getSequences(): Promise<Sequence[]> {
    const { sequences } = this.core.document;
    return Promise.resolve(sequences.map((one) => new SimSequence(this.core, one.guid)));
  }
  getSequence(id: Guid): Sequence {
    return new SimSequence(this.core, id.toString());
  }
  /** No step of undo. */
  deleteSequence(sequence: Sequence): Promise<boolean> {
    const id = sequence.guid.toString();
    const { itemId } = this.core.sequence(id);
    this.core.changeForGood((document) => {
      document.sequences = document.sequences.filter((one) => one.guid !== id);
      document.items = document.items.filter((item) => item.id !== itemId);
    });
    if (this.core.activeSequenceGuid === id) this.core.activeSequenceGuid = null;
    return Promise.resolve(true);
  }
  /** Of the rate of its only clip; becomes the active one. No step of undo. */
  createSequenceFromMedia(name: string, clips: ClipProjectItem[] = []): Promise<Sequence> {
    const [clip, ...others] = clips;
    if (!(clip instanceof SimClipProjectItem))
      return this.core.notSimulated('createSequenceFromMedia of what is no clip');
    if (others.length > 0) this.core.notSimulated('createSequenceFromMedia of several clips');
    const { media } = this.core.item(clip.id);
    if (media === null) return Promise.resolve(null as unknown as Sequence);
    const timeline = createTimeline(this.core);
    const { guid: id } = timeline.addSequence({
      ticksPerFrame: media.ticksPerFrame,
      tracks: 3,
      width: 128,
      height: 128,
    });
    const made = this.core.sequence(id);
    made.name = name;
    timeline.addClip(made, { track: 0, itemId: clip.id, startFrame: 0, frames: media.frames });
    this.core.changeForGood(({ sequences }) => {
      if (!sequences.some((one) => one.guid === id)) sequences.push(copySequence(made));
    });
    return Promise.resolve(new SimSequence(this.core, id));
  }
  getRootItem(): Promise<FolderItem> {
    return Promise.resolve(new SimFolderItem(this.core, this.core.rootId));
  }

  /** No step of undo. The item appears later, and the answer is only about the asking. */
  async importFiles(
    paths: string[],
    suppressUi?: boolean,
    ...rest: [bin?: ProjectItem | null, asStills?: boolean]
  ): Promise<boolean> {
    const [bin] = rest;
    if (rest.length > 0 && bin === undefined) {
      this.core.violate('import-bin', 'Illegal Parameter type');
    }
    if (suppressUi !== true) this.core.notSimulated('importFiles with dialogs');
    const parentId = bin == null ? this.core.rootId : bin.getId();
    const { importBrings, importDelayMs, importAnswer } = this.core.faults;
    for (const path of paths) {
      const media = await this.core.clock.hold(this.core.machine.probe(path));
      if (importBrings === 'nothing') continue;
      this.core.clock.after(importDelayMs, () => {
        const name = path.replace(/^.*[\\/]/, '');
        const isOffline = importBrings === 'offline-item';
        this.core.addItem({ name, kind: 'media', parentId, path, isOffline, media });
      });
    }
    return importAnswer ?? true;
  }

  executeTransaction(callback: (compound: CompoundAction) => void, undoName?: string): boolean {
    let isEmpty = true;
    // Declared to return nothing; what it does return is looked at.
    const call: (compound: CompoundAction) => unknown = callback;
    return this.core.transact(undoName, (add) => {
      const answer = call({
        addAction(action) {
          isEmpty = false;
          return add(action);
        },
        get empty() {
          return isEmpty;
        },
      });
      this.core.requireNoPromise(answer);
    });
  }
  lockedAccess(callback: () => void): void {
    this.core.locked(callback);
  }

  save = (): Promise<boolean> => Promise.resolve(true);
  createSequence = (): Promise<Sequence> => this.core.notSimulated('createSequence');
  createSequenceWithPresetPath = (): Promise<Sequence> => this.core.notSimulated('withPresetPath');
  getColorSettings = (): Promise<ProjectColorSettings> => this.core.notSimulated('getColorSettings');
  getInsertionBin = (): Promise<ProjectItem> => this.core.notSimulated('getInsertionBin');
  openSequence = (): Promise<boolean> => this.core.notSimulated('openSequence');
  closeSequence = (): Promise<boolean> => this.core.notSimulated('closeSequence');
  importSequences = (): Promise<boolean> => this.core.notSimulated('importSequences');
  importAEComps = (): Promise<boolean> => this.core.notSimulated('importAEComps');
  importAllAEComps = (): Promise<boolean> => this.core.notSimulated('importAllAEComps');
  close = (): Promise<boolean> => this.core.notSimulated('close');
  saveAs = (): Promise<boolean> => this.core.notSimulated('saveAs');
  pauseGrowing = (): Promise<boolean> => this.core.notSimulated('pauseGrowing');
}
