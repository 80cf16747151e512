// A temporary folder with a clip, a folder that passes for a checkpoint, and a cache folder.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Workspace {
  readonly folder: string;
  readonly clipPath: string;
  readonly clipBytes: Buffer;
  readonly modelDir: string;
  readonly cacheDir: string;
  readonly dataDir: string;
  /** Every file and folder below the cache folder, but its `run` and `weights` themselves. */
  leftovers(): Promise<readonly string[]>;
}

/** Bytes of the clip: more than one chunk, and not a whole number of them. */
const clipSizeBytes = 1_300_001;

/** Makes a workspace that goes when the test has finished. */
export async function createWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clipPath = join(folder, 'clip.mp4');
  const clipBytes = randomBytes(clipSizeBytes);
  const modelDir = join(folder, 'model');
  const cacheDir = join(folder, 'cache');
  await mkdir(modelDir);
  await writeFile(join(modelDir, 'model_index.json'), '{}');
  await writeFile(clipPath, clipBytes);
  return {
    folder,
    clipPath,
    clipBytes,
    modelDir,
    cacheDir,
    dataDir: join(folder, 'data'),
    async leftovers() {
      const found = await readdir(cacheDir, { recursive: true }).catch(() => []);
      return found.filter((name) => name !== 'run' && name !== 'weights');
    },
  };
}
