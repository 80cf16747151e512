// A simulated Premiere with a project open, ready for a test: a timeline to fill, and a host that works on it.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPremiereHost, type PremiereHost } from '../../plugin/src/host/premiere/premiere-host.ts'; // prettier-ignore
import { createNodeMachine } from './node-machine.ts';
import { filmSize } from './numbered-film.ts';
import { SimCore } from './sim-core.ts';
import type { SimClip, SimSequenceData } from './sim-document.ts';
import { createUxp, type SimUxp } from './sim-uxp.ts';

export interface PremiereSim {
  readonly core: SimCore;
  readonly uxp: SimUxp;
  readonly folder: string;
  /** A host as the panel makes it at its start. A second call is a panel that was opened again. */
  open(): PremiereHost;
  /** A sequence with tracks of nothing. Becomes the active one. */
  addSequence(ticksPerFrame: bigint, tracks?: number): SimSequenceData;
  /** Puts a film into the project. */
  addMedia(file: string): Promise<string>;
  /** Puts a clip on a track, in frames of the sequence. */
  addClip(sequence: SimSequenceData, wish: ClipWish): SimClip;
  select(sequence: SimSequenceData, ...clips: readonly SimClip[]): void;
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

/** `folder` is used up: project, media and the panel's data lie there. */
export async function createPremiereSim(folder: string): Promise<PremiereSim> {
  const core = new SimCore(createNodeMachine(folder), path.join(folder, 'project.prproj'));
  await mkdir(path.join(folder, 'plugin-data'), { recursive: true });
  const uxp = createUxp(core);
  // A preset that is there; the machine's own folders of presets are not looked at in tests.
  const preset = path.join(folder, 'QuickTime.epr');
  await writeFile(preset, '<preset/>');
  await mkdir(path.join(folder, 'plugin-data', 'state'), { recursive: true });
  await writeFile(path.join(folder, 'plugin-data', 'state', 'export-preset.txt'), preset);
  let hosts = 0;

  return {
    core,
    uxp,
    folder,
    open() {
      hosts += 1;
      let ids = 0;
      const session = hosts;
      return createPremiereHost(uxp.surroundings, () => {
        ids += 1;
        return `id${session}x${ids}`;
      });
    },
    addSequence(ticksPerFrame, tracks = 3) {
      const guid = core.newGuid();
      const itemId = core.addItem({
        ...{ name: 'Main', kind: 'sequence', parentId: core.rootId, path: '', media: null },
        isOffline: false,
      });
      const empty = () => Array.from({ length: tracks }, () => ({ clips: [] }));
      core.document.sequences.push({
        ...{ guid, name: 'Main', itemId, ticksPerFrame, ...filmSize },
        ...{ inPoint: 0n, outPoint: 0n, video: empty(), audio: empty(), properties: {} },
      });
      core.activeSequenceGuid = guid;
      return core.sequence(guid);
    },
    async addMedia(file) {
      const media = await core.machine.probe(file);
      const name = path.basename(file);
      return core.addItem({ name, kind: 'media', parentId: core.rootId, path: file, isOffline: false, media }); // prettier-ignore
    },
    addClip(sequence, { track, itemId, startFrame, frames, inFrame = 0, changes, kind = 'video' }) {
      const frame = sequence.ticksPerFrame;
      const start = BigInt(startFrame) * frame;
      const clip: SimClip = {
        ...{ id: core.newId(), name: `clip ${track}`, itemId, kind: 'clip', start },
        ...{ end: start + BigInt(frames) * frame, inPoint: BigInt(inFrame) * frame, speed: 1 },
        ...{ isReversed: false, isDisabled: false, effect: 'none', ...changes },
      };
      sequence[kind][track]?.clips.push(clip);
      return clip;
    },
    select(sequence, ...clips) {
      core.selected.set(sequence.guid, new Set(clips.map(({ id }) => id)));
    },
  };
}
