// Runs in the browser, in two windows: in the first it is the simulated Premiere with its project; in one that the first has
// opened it gives the built panel what UXP gives it, and takes away what UXP lacks. So the panel can be closed and opened
// while the project stays, and Premiere's calls are as synchronous as they are.

import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import { SimCore } from '../premiere-sim/sim-core.ts';
import { simConstants } from '../premiere-sim/sim-constants.ts';
import { describeSequence, type SimClip, type SimSequenceData } from '../premiere-sim/sim-document.ts';
import { piecesOf } from '../premiere-sim/sim-encoder.ts';
import { createTimeline } from '../premiere-sim/sim-timeline.ts';
import { createUxp } from '../premiere-sim/sim-uxp.ts';
import type { MachineCalls } from './machine-calls.ts';
import { createPageMachine } from './page-machine.ts';

/** What is used of a window; the tests are compiled without the types of browsers. */
interface PageWindow {
  readonly opener: PageWindow | null;
  readonly location: { readonly protocol: string };
  readonly document: { readonly body: unknown };
  readonly crypto: object;
  addEventListener(event: 'load', listener: () => void): void;
  /** Put in by Node. */
  readonly callMachine: (name: keyof MachineCalls, args: readonly unknown[]) => Promise<never>;
  premiere?: PagePremiere;
  require?: (name: string) => unknown;
}
declare const window: PageWindow;

export interface ProjectWish {
  readonly folder: string;
  /** Film of the clip, whose rate the sequence gets. */
  readonly film: string;
  readonly width: number;
  readonly height: number;
  /** The selected clip on V1: where it starts, how long it is, and which frame of the film it begins with. */
  readonly startFrame: number;
  readonly frames: number;
  readonly inFrame: number;
}

export interface PlacedClip {
  readonly trackIndex: number;
  readonly startFrame: number;
  readonly frames: number;
  readonly path: string;
}

/** What Node may call, with values that cross. */
export interface PagePremiere {
  openProject(wish: ProjectWish): Promise<void>;
  /** Everything of the sequence that undo must bring back. */
  describe(): string;
  /** Clips that lie above V1. */
  placed(): PlacedClip[];
  undoNames(): string[];
  /** Presses undo until there is nothing to undo; names of the steps. */
  undoAll(): string[];
  /** Makes a film of what the timeline shows where the clip is. */
  show(path: string): Promise<void>;
  violations(): string[];
  attach(panel: PageWindow): void;
}

/** Globals of browsers that UXP lacks, or is not known to have. */
const absent = [
  'TextDecoder',
  'TextEncoder',
  'structuredClone',
  'queueMicrotask',
  'requestAnimationFrame',
  'MutationObserver',
  'performance',
  'atob',
  'btoa',
];

const clockStepMs = 20;

function createPremiere(page: PageWindow): PagePremiere {
  const secrets = new Map<string, string>();
  let opened: { readonly core: SimCore; readonly clip: SimClip } | null = null;

  function project(): { core: SimCore; clip: SimClip; sequence: SimSequenceData } {
    const sequence = opened?.core.document.sequences[0];
    if (opened === null || sequence === undefined) throw new Error('No project is open.');
    return { ...opened, sequence };
  }

  return {
    async openProject({ folder, film, width, height, startFrame, frames, inFrame }) {
      const machine = createPageMachine((name, ...args) => page.callMachine(name, args), folder);
      const core = new SimCore(machine, `${folder}/project.prproj`);
      const timeline = createTimeline(core);
      const { ticksPerFrame } = await machine.probe(film);
      const itemId = await timeline.addMedia(film);
      const sequence = timeline.addSequence({ ticksPerFrame, tracks: 3, width, height });
      const place = { track: 0, itemId, startFrame, frames, inFrame };
      const clip = timeline.addClip(sequence, place);
      timeline.addClip(sequence, { ...place, kind: 'audio' });
      timeline.addClip(sequence, { ...place, startFrame: startFrame + frames });
      timeline.select(sequence, clip);
      opened = { core, clip };
      void runClock(core);
      core.fire(simConstants.SequenceEvent.SELECTION_CHANGED);
    },
    describe: () => describeSequence(project().sequence),
    placed() {
      const { core, sequence } = project();
      return sequence.video.slice(1).flatMap(({ clips }, index) =>
        clips.map(({ start, end, itemId }) => ({
          trackIndex: index + 1,
          startFrame: Number(start / sequence.ticksPerFrame),
          frames: Number((end - start) / sequence.ticksPerFrame),
          path: core.item(itemId ?? '').path,
        })),
      );
    },
    undoNames: () => project().core.undoStack.map(({ name }) => name),
    undoAll() {
      const names: string[] = [];
      for (;;) {
        const name = project().core.undo();
        if (name === undefined) return names;
        names.push(name);
      }
    },
    async show(path) {
      const { core, clip, sequence } = project();
      const marked = { ...sequence, inPoint: clip.start, outPoint: clip.end };
      await core.machine.render({
        pieces: piecesOf(core, marked),
        path,
        rate: rateOfTimebase(String(sequence.ticksPerFrame)),
        width: sequence.width,
        height: sequence.height,
      });
    },
    violations: () => project().core.violations.map(({ message }) => message),
    attach(panel) {
      const { core } = project();
      const uxp = createUxp(core, { secrets });
      const modules: Readonly<Record<string, unknown>> = {
        premierepro: uxp.surroundings.ppro,
        uxp: uxp.surroundings.uxp,
        fs: uxp.surroundings.fs,
        os: { platform: () => uxp.surroundings.platform, homedir: () => uxp.surroundings.home },
      };
      for (const name of absent) Reflect.deleteProperty(panel, name);
      Reflect.defineProperty(panel.crypto, 'subtle', { value: undefined });
      Reflect.set(panel.document, 'theme', uxp.surroundings.globals.theme);
      panel.require = (name) => {
        if (name in modules) return modules[name];
        throw new Error(`UXP has no module ${name}.`);
      };
      panel.addEventListener('load', () => uxp.entryPoints().panels['tokenflow']?.create(panel.document.body));
    },
  };
}

/** The simulation's time goes as time goes, but for the machine's work. */
async function runClock({ clock }: SimCore): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, clockStepMs));
    await clock.wait(clockStepMs);
  }
}

// A window that opens is an empty page first.
if (window.location.protocol === 'file:') {
  if (window.opener === null) window.premiere = createPremiere(window);
  else window.opener.premiere?.attach(window);
}
