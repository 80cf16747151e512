// The cache of Hugging Face's libraries: models--OWNER--NAME with refs/main, which names a commit, and snapshots/COMMIT,
// whose files are links into blobs (https://huggingface.co/docs/huggingface_hub/guides/manage-cache). A file that is not
// downloaded whole is in blobs only and ends in .incomplete, so that no snapshot has it.

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { faultOf } from '../walk.ts';
import type { Machine, PlaceFolder, PlaceKind } from '../found.ts';
import { expandPath } from './expand-path.ts';
import { isFolder } from './layout.ts';

const folderName = /^models--(?:(?<owner>[\w.-]+?)--)?(?<name>[\w.-]+)$/;
const commitName = /^[\w.-]+$/;

export const hubCache: PlaceKind = {
  source: 'hub',
  title: 'Hugging Face cache',
  usualRoots: (machine) => [hubCacheDir(machine)],
  async foldersOf(root, _machine, complain) {
    let names: readonly string[];
    try {
      names = await readdir(root);
    } catch (error) {
      const fault = faultOf(error);
      if (fault !== null) complain(`Hugging Face cache: ${fault}.`);
      return null;
    }
    const repositories = names.filter((name) => repositoryOf(name) !== undefined).sort();
    if (repositories.length === 0) return null;
    const folders: PlaceFolder[] = [];
    for (const name of repositories) {
      const [dir, repository] = [await snapshotOf(join(root, name)), repositoryOf(name)];
      if (dir === undefined || repository === undefined) continue;
      folders.push({ source: 'hub', dir, label: '', role: 'repository', named: repository, repository });
    }
    return folders;
  },
};

/** HF_HUB_CACHE, its older name HUGGINGFACE_HUB_CACHE, `hub` in HF_HOME, or the place that the libraries choose. */
export function hubCacheDir(machine: Machine): string {
  const { env, home } = machine;
  const chosen = env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'];
  if (chosen) return expandPath(chosen, machine);
  const hubHome = env['HF_HOME'];
  if (hubHome) return join(expandPath(hubHome, machine), 'hub');
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'huggingface', 'hub');
}

/** `owner/name` of a folder models--OWNER--NAME; undefined for another folder. */
export function repositoryOf(folder: string): string | undefined {
  const { owner, name } = folderName.exec(folder)?.groups ?? {};
  if (name === undefined) return undefined;
  return owner === undefined ? name : `${owner}/${name}`;
}

/** The snapshot in a repository's folder: that of refs/main, else the newest; undefined where there is none. */
async function snapshotOf(repositoryDir: string): Promise<string | undefined> {
  const snapshots = join(repositoryDir, 'snapshots');
  // What is not there, or cannot be read, is no snapshot.
  const main = await readFile(join(repositoryDir, 'refs', 'main'), 'utf8').catch(() => '');
  const commit = main.trim();
  if (isCommit(commit) && (await isFolder(join(snapshots, commit)))) return join(snapshots, commit);
  const names = await readdir(snapshots).catch(() => []);
  let newest: { readonly dir: string; readonly changedMs: number } | undefined;
  for (const dir of names.map((name) => join(snapshots, name))) {
    const stats = await stat(dir).catch(() => null);
    if (stats?.isDirectory() !== true) continue;
    if (newest === undefined || stats.mtimeMs > newest.changedMs) newest = { dir, changedMs: stats.mtimeMs };
  }
  return newest?.dir;
}

/**
 * A folder by any of its names in a cache: models--OWNER--NAME, or one of its snapshots. Gives the folder with the files,
 * and the repository; undefined for a folder that is not in a cache.
 */
export async function inHubCache(
  dir: string,
): Promise<{ readonly dir: string; readonly repository: string } | undefined> {
  const own = repositoryOf(basename(dir));
  const snapshot = own === undefined ? undefined : await snapshotOf(dir);
  if (own !== undefined && snapshot !== undefined) return { dir: snapshot, repository: own };
  if (basename(dirname(dir)) !== 'snapshots') return undefined;
  const repository = repositoryOf(basename(dirname(dirname(dir))));
  return repository === undefined ? undefined : { dir, repository };
}

/** A name of one folder, which leads nowhere else. */
function isCommit(name: string): boolean {
  return commitName.test(name) && name !== '.' && name !== '..';
}
