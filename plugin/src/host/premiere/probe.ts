// What this Premiere can do. Some functions that are declared are absent in some versions, so each is looked for once,
// at the start; what is missing has a named fallback or is not offered.

import { abilityNames, type Abilities, type Ability, type AbilityName, type Fallback } from '../host.ts';
import type { Surroundings } from './api.ts';

interface Requirement {
  /** Paths from Premiere's module or the other surroundings. */
  readonly needs: readonly string[];
  readonly fallback: Fallback | null;
  /** Why it is not used although nothing is missing. */
  readonly unproven?: string;
}

const requirements: Readonly<Record<AbilityName, Requirement>> = {
  timeline: {
    needs: [
      'ppro.Project.getActiveProject',
      'ppro.SequenceEditor.getEditor',
      'ppro.TickTime.createWithTicks',
      'ppro.Constants.TrackItemType',
      'ppro.Constants.MediaType',
    ],
    fallback: null,
  },
  'selection-events': {
    needs: ['ppro.EventManager.addGlobalEventListener', 'ppro.Constants.SequenceEvent', 'ppro.Constants.ProjectEvent'],
    fallback: 'refresh-button',
  },
  'rendered-export': {
    needs: ['ppro.EncoderManager.getManager', 'ppro.Constants.ExportType'],
    fallback: 'source-export',
  },
  'export-events': {
    needs: [
      'ppro.EventManager.addGlobalEventListener',
      'ppro.EventManager.removeGlobalEventListener',
      'ppro.Constants.OperationCompleteEvent',
      'ppro.Constants.OperationCompleteState',
    ],
    fallback: 'watch-file',
  },
  'source-export': { needs: ['fs.open', 'fs.read', 'fs.lstat'], fallback: 'rendered-export' },
  'system-presets': {
    needs: ['fs.readdir', 'ppro.EncoderManager.getExportFileExtension'],
    fallback: 'pick-preset',
  },
  'sequence-records': {
    needs: ['ppro.Properties.getProperties', 'ppro.Constants.PropertyType'],
    fallback: 'panel-folder',
  },
  'source-monitor': {
    needs: ['ppro.SourceMonitor.openProjectItem', 'ppro.SourceMonitor.setPosition'],
    fallback: null,
  },
  'secure-storage': { needs: ['uxp.storage.secureStorage.setItem'], fallback: 'panel-folder' },
  'folder-opening': { needs: ['uxp.shell.openPath'], fallback: 'show-path' },
  video: {
    needs: [],
    unproven: "UXP's documents do not say which videos its element plays, and whether to the frame",
    fallback: 'pictures',
  },
  'theme-events': { needs: ['globals.theme.onUpdated.addListener'], fallback: 'at-next-start' },
};

/** Only looks; calls nothing. */
export function probeAbilities(surroundings: Surroundings): Abilities {
  const found = abilityNames.map((name): [AbilityName, Ability] => {
    const { needs, fallback, unproven } = requirements[name];
    const missing = needs.filter((path) => lookUp(surroundings, path) == null);
    const isThere = missing.length === 0 && unproven === undefined;
    const found = isThere ? `found ${needs.join(', ')}` : `missing ${missing.join(', ')}`;
    const detail = unproven ?? found;
    return [name, { name, isThere, fallback: isThere ? null : fallback, detail }];
  });
  return Object.fromEntries(found) as Record<AbilityName, Ability>;
}

function lookUp(start: object, path: string): unknown {
  let value: unknown = start;
  for (const name of path.split('.')) {
    if (value == null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
