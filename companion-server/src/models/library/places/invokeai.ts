// InvokeAI: all models in one folder below its root, sorted by family and kind in older versions, in a folder each in newer
// ones. What a file is, its header says. The database beside it belongs to the program that runs, and is not opened.

import { basename, join } from 'node:path';
import type { PlaceKind } from '../found.ts';
import { mappingOf, readYaml } from '../yaml-file.ts';
import { expandPath } from './expand-path.ts';
import { isFile } from './layout.ts';

export const invokeai: PlaceKind = {
  source: 'invokeai',
  title: 'InvokeAI',
  usualRoots: (machine) => {
    const chosen = machine.env['INVOKEAI_ROOT'];
    return [...(chosen ? [expandPath(chosen, machine)] : []), join(machine.home, 'invokeai')];
  },
  async foldersOf(root, machine, complain) {
    const settingsPath = join(root, 'invokeai.yaml');
    const hasSettings = await isFile(settingsPath);
    if (!hasSettings && !(await isFile(join(root, 'databases', 'invokeai.db')))) return null;
    let settings: unknown;
    try {
      settings = await readYaml(settingsPath);
    } catch (error) {
      complain(`InvokeAI, ${basename(settingsPath)}: ${error instanceof Error ? error.message : String(error)}.`);
    }
    const dir = expandPath(modelsDirOf(settings) ?? 'models', machine, root);
    return [{ source: 'invokeai', dir, label: basename(dir), role: 'any' }];
  },
};

/** `models_dir`: at the top since version 4, in InvokeAI.Paths before. */
function modelsDirOf(settings: unknown): string | undefined {
  const file = mappingOf(settings);
  const paths = mappingOf(mappingOf(file?.['InvokeAI'])?.['Paths']);
  const dir = file?.['models_dir'] ?? paths?.['models_dir'];
  return typeof dir === 'string' && dir !== '' ? dir : undefined;
}
