// A simulated Premiere with a project open, ready for a test: a timeline to fill, and a host that works on it.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPremiereHost, type PremiereHost } from '../../plugin/src/host/premiere/premiere-host.ts';
import { createNodeMachine } from './node-machine.ts';
import { filmSize } from './numbered-film.ts';
import { SimCore } from './sim-core.ts';
import type { SimSequenceData } from './sim-document.ts';
import { createTimeline, type SimTimeline } from './sim-timeline.ts';
import { createUxp, type SimUxp } from './sim-uxp.ts';

export interface PremiereSim extends Omit<SimTimeline, 'addSequence'> {
  readonly core: SimCore;
  readonly uxp: SimUxp;
  readonly folder: string;
  /** A host as the panel makes it at its start. A second call is a panel that was opened again. */
  open(): PremiereHost;
  /** A sequence with tracks of nothing, for numbered films. Becomes the active one. */
  addSequence(ticksPerFrame: bigint, tracks?: number): SimSequenceData;
}

/** `folder` is used up: project, media and the panel's data lie there. */
export async function createPremiereSim(folder: string): Promise<PremiereSim> {
  const core = new SimCore(createNodeMachine(folder), path.join(folder, 'project.prproj'));
  await preparePluginData(folder);
  const uxp = createUxp(core);
  const timeline = createTimeline(core);
  let hosts = 0;

  return {
    core,
    uxp,
    folder,
    ...timeline,
    addSequence: (ticksPerFrame, tracks = 3) => timeline.addSequence({ ticksPerFrame, tracks, ...filmSize }),
    open() {
      hosts += 1;
      let ids = 0;
      const session = hosts;
      return createPremiereHost(uxp.surroundings, () => {
        ids += 1;
        return `id${session}x${ids}`;
      });
    },
  };
}

/** The panel's data folder, with a preset picked: the machine's own folders of presets are not looked at in tests. */
export async function preparePluginData(folder: string): Promise<void> {
  const preset = path.join(folder, 'QuickTime.epr');
  await writeFile(preset, '<preset/>');
  const state = path.join(folder, 'plugin-data', 'state');
  await mkdir(state, { recursive: true });
  await writeFile(path.join(state, 'export-preset.txt'), preset);
}
