// The project panel: the bin of results, its items, and the import of a file into it. An import is not an undo step.

import { throwIfCanceled, type Signal } from '../../../../../protocol/errors.ts';
import { HostError } from '../../problems.ts';
import type { ImportedResult, ResultFile } from '../../edits.ts';
import type { FolderItem, Project, ProjectItem, Surroundings } from '../api.ts';
import { openProject } from './timeline-items.ts';
import { runTransaction } from './transaction.ts';

export const binName = 'TokenFlow';

/** Premiere reads an imported file before the item appears; slow disks and long films take their time. */
const appearWithinMs = 60_000;
const pollMs = 250;

/** Imports a file and waits until its item is there and online. The same file again gives the same item. */
export async function importResult(
  surroundings: Surroundings,
  file: ResultFile,
  signal?: Signal,
): Promise<ImportedResult> {
  const { ppro, clock } = surroundings;
  throwIfCanceled(signal);
  const project = await openProject(surroundings);
  const bin = await openBin(surroundings, project);
  const known = await findByPath(surroundings, bin, file.location);
  if (known !== undefined) return { resultId: known.getId(), path: file.location };

  // An explicit bin: an undefined one is refused. The answer says only that the import was accepted, if that.
  const answer = await project
    .importFiles([file.location], true, ppro.ProjectItem.cast(bin), false)
    .catch((error: unknown) => String(error));
  const giveUpAt = clock.now() + appearWithinMs;
  for (;;) {
    const item = await findByPath(surroundings, bin, file.location);
    if (item !== undefined) return { resultId: item.getId(), path: file.location };
    throwIfCanceled(signal);
    if (typeof answer === 'string') throw new HostError('import-failed', `${file.location}: ${answer}`);
    if (clock.now() >= giveUpAt) {
      const code = answer ? 'import-late' : 'import-failed';
      throw new HostError(code, `${file.location} did not appear in ${binName} (${answer}).`);
    }
    await clock.wait(pollMs);
  }
}

/** The item of the bin that shows the file and is online. */
async function findByPath({ ppro }: Surroundings, bin: FolderItem, path: string): Promise<ProjectItem | undefined> {
  for (const item of await bin.getItems()) {
    const clip = ppro.ClipProjectItem.cast(item) as ReturnType<typeof ppro.ClipProjectItem.cast> | null;
    if (clip === null || !isSamePath(await clip.getMediaFilePath(), path)) continue;
    if (!(await clip.isOffline())) return item;
  }
  return undefined;
}

/** Windows writes one path in several ways. */
function isSamePath(a: string, b: string): boolean {
  const plain = (path: string): string => path.replaceAll('\\', '/').replace(/^\/\/\?\//, '');
  return plain(a) === plain(b) || (/^[a-z]:/i.test(plain(a)) && plain(a).toLowerCase() === plain(b).toLowerCase());
}

async function openBin(surroundings: Surroundings, project: Project): Promise<FolderItem> {
  const root = await project.getRootItem();
  const there = await findBin(surroundings, root);
  if (there !== undefined) return there;
  runTransaction(project, `Create bin ${binName}`, 'import-failed', (add) => {
    add.must(() => root.createBinAction(binName, false));
  });
  // An action does not return what it made.
  const made = await findBin(surroundings, root);
  if (made !== undefined) return made;
  throw new HostError('import-failed', `The bin ${binName} was not made.`);
}

async function findBin({ ppro }: Surroundings, root: FolderItem): Promise<FolderItem | undefined> {
  for (const item of await root.getItems()) {
    const folder = ppro.FolderItem.cast(item) as FolderItem | null;
    if (folder !== null && item.name === binName) return folder;
  }
  return undefined;
}

/** An item of the project by its id, wherever it was moved to. Throws HostError `file-missing`. */
export async function findProjectItem(surroundings: Surroundings, project: Project, id: string): Promise<ProjectItem> {
  const found = await findWithFolder(surroundings, project, id);
  return found.item;
}

/** The same with the bin that contains it. */
export async function findWithFolder(
  { ppro }: Surroundings,
  project: Project,
  id: string,
): Promise<{ readonly item: ProjectItem; readonly folder: FolderItem }> {
  const folders = [await project.getRootItem()];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const item of await folder.getItems()) {
      // The item as it came, not cast: that is what edits take.
      if (item.getId() === id) return { item, folder };
      const inner = ppro.FolderItem.cast(item) as FolderItem | null;
      if (inner !== null) folders.push(inner);
    }
  }
  throw new HostError('file-missing', `The project has no item ${id} any more.`);
}
