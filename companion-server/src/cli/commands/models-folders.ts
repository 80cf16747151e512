// `models folders`: which folders are looked into beside those of the programs that are known.

import { EditError } from '../../errors.ts';
import { addFolder, readAddedFolders, removeFolder } from '../../models/library/added-folders.ts';
import { placeOf } from '../../models/library/places.ts';
import { report, type ModelsRequest } from './models-request.ts';
import { suggest } from '../suggest.ts';
import { typed } from '../../typed-command.ts';

const actions = ['list', 'add', 'remove'] as const;

/** Throws EditError 'invalid-request'. */
export async function folders(request: ModelsRequest, action = 'list', dir?: string): Promise<void> {
  const { modelsDir } = request;
  switch (action) {
    case 'list':
      if (dir !== undefined) throw new EditError('invalid-request', `models folders list takes nothing, got '${dir}'.`);
      listFolders(request);
      break;
    case 'add': {
      const added = await addFolder(modelsDir, requireDir(action, dir));
      const title = await titleOf(request, added);
      report(request, { type: 'folder-added', dir: added }, `${added} is looked into${title}. Nothing is copied.`);
      break;
    }
    case 'remove': {
      const removed = await removeFolder(modelsDir, requireDir(action, dir));
      report(request, { type: 'folder-removed', dir: removed }, `${removed} is forgotten; it is as it was.`);
      break;
    }
    default: {
      const suggestion = suggest(action, actions);
      throw new EditError('invalid-request', `models folders cannot '${action}'.`, {
        hint: suggestion === undefined ? `It can ${actions.join(', ')}.` : `Did you mean ${suggestion}?`,
      });
    }
  }
}

function listFolders(request: ModelsRequest): void {
  const added = readAddedFolders(request.modelsDir);
  for (const dir of added) report(request, { type: 'folder', dir }, dir);
  if (added.length === 0 && !request.isJson) {
    report(request, {}, `No folder was added. Add one: ${typed('models folders add DIR')}`);
  }
}

/** Which program the folder is of, as the end of a sentence. */
async function titleOf({ machine }: ModelsRequest, dir: string): Promise<string> {
  if (machine === null) return '';
  const { title, folders: found } = await placeOf(dir, machine, () => undefined);
  return found.some(({ source }) => source === 'folder') ? '' : ` as a folder of ${title}`;
}

function requireDir(action: string, dir: string | undefined): string {
  if (dir !== undefined && dir !== '') return dir;
  throw new EditError('invalid-request', `models folders ${action} needs a folder.`, {
    hint: `For example: ${typed(`models folders ${action} /path/to/ComfyUI`)}`,
  });
}
