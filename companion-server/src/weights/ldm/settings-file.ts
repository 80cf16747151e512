// The settings that lie beside a checkpoint in one file under the same name with the ending .yaml: the config of the original
// code, which other programs read as well.

import { EditError } from '../../errors.ts';
import { readText } from '../json-file.ts';

/** Settings by their name, the first of each, as text. */
export type LdmSettings = ReadonlyMap<string, string>;

/** What is read of it; everything else is found in the tensors. */
const known = ['parameterization', 'num_heads', 'scale_factor'];

/** Of the checkpoint at `path`; empty where there are none. Throws EditError('model-damaged') for a file that is too long. */
export async function readSettingsBeside(path: string): Promise<LdmSettings> {
  try {
    return parseSettings(await readText(path.replace(/\.[^.]*$/, '.yaml')));
  } catch (error) {
    if (error instanceof EditError && error.code === 'model-missing') return new Map();
    throw error;
  }
}

/** Lines `name: value`, whatever they are inside of. */
export function parseSettings(text: string): LdmSettings {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^\s*(\w+):\s*"?([^"#]*?)"?\s*(?:#.*)?$/.exec(line) ?? [];
    if (known.includes(name) && value !== '' && !found.has(name)) found.set(name, value);
  }
  return found;
}
