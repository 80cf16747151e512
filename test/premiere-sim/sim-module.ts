// The module `premierepro` of the simulated Premiere: those of its parts that the panel is known to need. The compiler
// holds each part against Adobe's declarations.

import type {
  ClipProjectItem,
  EventManagerStatic,
  FolderItem,
  FolderItemStatic,
  premierepro,
  ProjectItem,
  Sequence,
} from '@adobe/premierepro';
import { simConstants } from './sim-constants.ts';
import type { SimCore } from './sim-core.ts';
import { SimEncoder } from './sim-encoder.ts';
import { castToClip, castToFolder, SimProjectItem } from './sim-items.ts';
import { SimProject } from './sim-project.ts';
import { SimProperties, SimSequenceEditor } from './sim-sequence.ts';
import { frameRate, tickTime } from './sim-time.ts';
import { SimSelection } from './sim-track-items.ts';
import { ticksPerSecond } from '../../plugin/src/host/ticks.ts';

type Simulated = Pick<
  premierepro,
  | 'Project'
  | 'ProjectItem'
  | 'ClipProjectItem'
  | 'FolderItem'
  | 'SequenceEditor'
  | 'Properties'
  | 'EncoderManager'
  | 'EventManager'
  | 'SourceMonitor'
  | 'TickTime'
  | 'FrameRate'
  | 'TrackItemSelection'
>;

/** A module of its own for each simulated Premiere. */
export function createModule(core: SimCore): premierepro {
  const module: Simulated = {
    Project: {
      getActiveProject: () =>
        Promise.resolve(core.isProjectOpen ? new SimProject(core) : (null as unknown as SimProject)),
      getProject: () => new SimProject(core),
      createProject: () => core.notSimulated('createProject'),
      isProject: () => core.notSimulated('isProject'),
      open: () => core.notSimulated('Project.open'),
    },
    ProjectItem: {
      cast: (item) => new SimProjectItem(core, idOf(item)),
      TYPE_CLIP: 901,
      TYPE_BIN: 902,
      TYPE_ROOT: 903,
      TYPE_FILE: 904,
      TYPE_STYLE: 905,
      TYPE_COMPOUND: 906,
    },
    ClipProjectItem: {
      cast: (item) => castToClip(core, { id: idOf(item) }) as ClipProjectItem,
    },
    FolderItem: {
      cast: (item) => castToFolder(core, { id: idOf(item) }) as ReturnType<FolderItemStatic['cast']>,
    },
    SequenceEditor: {
      getEditor: (sequence) => new SimSequenceEditor(core, sequence.guid.toString()),
      getInstalledMogrtPath: () => core.notSimulated('getInstalledMogrtPath'),
    },
    Properties: {
      getProperties: (owner) => Promise.resolve(new SimProperties(core, (owner as Sequence).guid.toString())),
      PROPERTY_PERSISTENT: 1,
      PROPERTY_NON_PERSISTENT: 2,
    },
    EncoderManager: {
      getManager: () => new SimEncoder(core),
      getExportFileExtension: (_sequence, preset) => Promise.resolve(extensionOf(preset)),
      EXPORT_QUEUE_TO_AME: 'ame',
      EXPORT_QUEUE_TO_APP: 'app',
      EXPORT_IMMEDIATELY: 'now',
      EVENT_RENDER_COMPLETE: 'complete',
      EVENT_RENDER_ERROR: 'error',
      EVENT_RENDER_CANCEL: 'cancel',
      EVENT_RENDER_QUEUE: 'queue',
      EVENT_RENDER_PROGRESS: 'progress',
    },
    EventManager: createEventManager(core),
    SourceMonitor: {
      openProjectItem(item) {
        core.sourceMonitor.itemId = item.getId();
        return Promise.resolve(true);
      },
      setPosition(position) {
        core.sourceMonitor.position = BigInt(position.ticks);
        return Promise.resolve(true);
      },
      getPosition: () => Promise.resolve(tickTime(core.sourceMonitor.position)),
      openFilePath: () => core.notSimulated('openFilePath'),
      closeClip: () => core.notSimulated('closeClip'),
      closeAllClips: () => core.notSimulated('closeAllClips'),
      play: () => core.notSimulated('play'),
      getProjectItem: () => core.notSimulated('SourceMonitor.getProjectItem'),
    },
    TickTime: {
      createWithTicks: (ticks) => tickTime(BigInt(ticks)),
      createWithSeconds: (seconds) => tickTime(BigInt(Math.round(seconds * Number(ticksPerSecond)))),
      createWithFrameAndFrameRate: (count, rate) => tickTime(BigInt(count) * BigInt(rate.ticksPerFrame)),
      TIME_ZERO: tickTime(0n),
      TIME_ONE_SECOND: tickTime(ticksPerSecond),
      TIME_ONE_MINUTE: tickTime(60n * ticksPerSecond),
      TIME_ONE_HOUR: tickTime(3_600n * ticksPerSecond),
      TIME_MAX: tickTime(2n ** 62n),
      TIME_MIN: tickTime(-(2n ** 62n)),
      TIME_INVALID: tickTime(-(2n ** 63n)),
    },
    FrameRate: {
      createWithValue: (value) => frameRate(BigInt(Math.round(Number(ticksPerSecond) / value))),
    },
    TrackItemSelection: {
      createEmptySelection(callback) {
        callback(new SimSelection(core, 'empty', []));
        return true;
      },
    },
  };
  return { ...module, Constants: simConstants } as unknown as premierepro;
}

function createEventManager(core: SimCore): EventManagerStatic {
  return {
    addGlobalEventListener: (event, listener) => core.listen(event, listener),
    removeGlobalEventListener: (event, listener) => core.unlisten(event, listener),
    addEventListener: () => core.notSimulated('addEventListener'),
    removeEventListener: () => core.notSimulated('removeEventListener'),
  };
}

/** Every item of the simulation has an id; not every declared form of an item has one. */
function idOf(item: ProjectItem | FolderItem | ClipProjectItem): string {
  return (item as unknown as { readonly id: string }).id;
}

function extensionOf(preset: string): string {
  if (/prores|quicktime/i.test(preset)) return 'mov';
  return /match source|h264|high quality/i.test(preset) ? 'mp4' : 'wav';
}
