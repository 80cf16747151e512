// The ControlNet for a kind of control picture where the user named none.

import type { ControlKind } from '../../../protocol/control.ts';
import { EditError } from '../errors.ts';
import { isForKind } from './library/control-kinds.ts';
import type { Library } from './library/library.ts';

/**
 * The first by name that is for the kind and the family of the model. Looks at the machine again where none is known. Throws
 * EditError('adapter-missing') that says which there are.
 */
export async function controlNetFor(
  library: Pick<Library, 'found' | 'refresh' | 'usableModels'>,
  kind: ControlKind,
  model: string | null,
): Promise<{ readonly name: string; readonly file: string }> {
  const known = find(library, kind, model);
  if (known !== null) return known;
  await library.refresh();
  const found = find(library, kind, model);
  if (found !== null) return found;
  const family = familyOf(library, model);
  const all = controlNets(library).map(({ id, item }) => (item.family === null ? id : `${id} (${item.family})`));
  const has = all.length === 0 ? 'there are none' : `there are ${all.slice(0, 10).join(', ')}`;
  throw new EditError(
    'adapter-missing',
    `No ControlNet for ${kind}${family === null ? '' : ` and ${family}`} was found; ${has}.`,
    { hint: `Name one with --control ${kind}:FILE, or put it where ComfyUI keeps its own: models/controlnet.` },
  );
}

type Found = Pick<Library, 'found' | 'usableModels'>;

/** Those that can be used, by name. */
function controlNets(library: Found) {
  return library
    .found()
    .filter(({ item }) => item.kind === 'controlnet' && item.problem === null)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function find(library: Found, kind: ControlKind, model: string | null) {
  const family = familyOf(library, model);
  const one = controlNets(library).find(
    ({ id, item }) => isForKind(id, kind) && (family === null || item.family === family),
  );
  return one === undefined ? null : { name: one.id, file: one.item.file.path };
}

function familyOf(library: Found, model: string | null): string | null {
  const models = library.usableModels();
  return (model === null ? models[0] : models.find(({ id }) => id === model))?.family ?? null;
}
