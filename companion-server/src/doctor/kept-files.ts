// What the program keeps only to be faster, and makes again when it is gone: inverted clips, copies of weights, and videos of
// results that browsers play.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clearInversions,
  inversionsDirIn,
  listInversions,
  type KeptInversion,
} from '../engine/source-cache/inversion-cache.ts';
import { jobsFolder, namesOf, playbackFolder } from '../artifacts/ids.ts';
import { isMissing } from '../files/disk-error.ts';

export interface KeptFolders {
  readonly dataDir: string;
  readonly cacheDir: string;
}

export interface KeptWeights {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface KeptVideo {
  readonly jobId: string;
  /** As `edit.mp4`. */
  readonly name: string;
  readonly sizeBytes: number;
}

export interface KeptFiles {
  /** The last used first. */
  readonly inversions: readonly KeptInversion[];
  readonly weights: readonly KeptWeights[];
  readonly videos: readonly KeptVideo[];
}

export interface Cleared {
  readonly count: number;
  readonly sizeBytes: number;
}

/** Where inverted clips are kept. */
export const inversionsDir = ({ dataDir }: Pick<KeptFolders, 'dataDir'>): string => inversionsDirIn(dataDir);
const weightsDir = ({ cacheDir }: KeptFolders): string => join(cacheDir, 'weights');

export async function listKeptFiles(folders: KeptFolders): Promise<KeptFiles> {
  return {
    inversions: await listInversions(inversionsDir(folders)),
    weights: await listWeights(weightsDir(folders)),
    videos: await listVideos(folders),
  };
}

/** Removes all files of a kind. A running edit is not disturbed; files that it makes again may be there afterwards. */
export async function clearKeptFiles(folders: KeptFolders, kind: keyof KeptFiles): Promise<Cleared> {
  if (kind === 'inversions') return clearInversions(inversionsDir(folders));
  if (kind === 'videos') return clearVideos(folders);
  const dir = weightsDir(folders);
  const copies = await listWeights(dir);
  for (const { name } of copies) await rm(join(dir, name), { force: true });
  return { count: copies.length, sizeBytes: copies.reduce((sum, copy) => sum + copy.sizeBytes, 0) };
}

const videoPath = ({ dataDir }: Pick<KeptFolders, 'dataDir'>, { jobId, name }: KeptVideo): string =>
  join(dataDir, ...namesOf(playbackFolder(jobId)), name);

/** Videos that are whole; one that is being written has another ending. */
async function listVideos({ dataDir }: Pick<KeptFolders, 'dataDir'>): Promise<readonly KeptVideo[]> {
  const found: KeptVideo[] = [];
  for (const jobId of await namesIn(join(dataDir, jobsFolder))) {
    const folder = join(dataDir, ...namesOf(playbackFolder(jobId)));
    for (const name of await namesIn(folder)) {
      if (name.endsWith('.mp4')) found.push({ jobId, name, sizeBytes: (await stat(join(folder, name))).size });
    }
  }
  return found;
}

async function clearVideos(folders: KeptFolders): Promise<Cleared> {
  const videos = await listVideos(folders);
  for (const video of videos) await rm(videoPath(folders, video), { force: true });
  return { count: videos.length, sizeBytes: videos.reduce((sum, video) => sum + video.sizeBytes, 0) };
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}

/** Copies that are whole; one that is being written has another ending. */
async function listWeights(dir: string): Promise<readonly KeptWeights[]> {
  const names = await namesIn(dir);
  return Promise.all(
    names
      .filter((name) => name.endsWith('.safetensors'))
      .map(async (name) => ({ name, sizeBytes: (await stat(join(dir, name))).size })),
  );
}
