// The work of one job on this server: an edit by the engine, inside a folder that the server makes for it.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DeviceChoice } from '../../protocol/devices.ts';
import { codecExtensions, type EditSettings } from '../../protocol/edit-settings.ts';
import type { EditReport } from '../../protocol/edit-report.ts';
import type { Engine } from './engine/supervisor.ts';
import { EditError } from './errors.ts';
import type { Work } from './jobs/queue.ts';
import { removeAbandonedFiles } from './weights/write-whole.ts';

export interface EditSpec {
  /** Absolute path of the uploaded clip. */
  readonly clipPath: string;
  readonly modelDir: string;
  readonly device: DeviceChoice;
  readonly settings: EditSettings;
}

export interface EditResult {
  /** Absolute path of the edited clip. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly report: EditReport;
}

export interface EditWorkOptions {
  readonly engine: Pick<Engine, 'edit'>;
  /** Each job gets a folder of its own below this one. */
  readonly jobsDir: string;
  /** What the engine keeps between edits lies below this folder. */
  readonly cacheDir: string;
}

export interface EditWork {
  /** Removes what engines of killed servers have left in the cache folder. Call before the first job. */
  readonly prepare: () => Promise<void>;
  readonly work: Work<EditSpec, EditResult>;
  /** Removes a job's folder. */
  readonly discard: (jobId: string) => Promise<void>;
}

/** The work function for the job queue. A job that fails or is canceled leaves no folder. */
export function createEditWork({ engine, jobsDir, cacheDir }: EditWorkOptions): EditWork {
  const folderOf = (jobId: string): string => join(jobsDir, jobId);
  const discard = (jobId: string): Promise<void> =>
    rm(folderOf(jobId), { recursive: true, force: true, maxRetries: 3 });

  return {
    prepare: () => removeAbandonedWeights(cacheDir),
    discard,
    async work(jobId, { clipPath, modelDir, device, settings }, hooks) {
      const folder = folderOf(jobId);
      const path = join(folder, `result${codecExtensions[settings.codec]}`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        const report = await engine.edit(
          {
            inputPath: clipPath,
            outputPath: path,
            modelDir,
            device,
            cacheDir,
            workDir: join(folder, 'work'),
            settings,
          },
          hooks,
        );
        const { size } = await stat(path);
        return { path, sizeBytes: size, sha256: await hashFile(path), report };
      } catch (error) {
        await discard(jobId);
        await removeAbandonedWeights(cacheDir);
        throw withoutPaths(error, { 'the clip': clipPath, 'the result': path });
      }
    },
  };
}

/** The client knows neither path nor name of the files on the server: an error calls them by what they are. */
function withoutPaths(error: unknown, paths: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof EditError)) return error;
  let { message } = error;
  for (const [name, path] of Object.entries(paths)) {
    for (const form of [`"${path}"`, `file:${path}`, path])
      message = message.replaceAll(form, name);
  }
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new EditError(error.code, message, { ...hint, cause: error });
}

/** An engine that was ended while it copied weights leaves a part of the copy. */
async function removeAbandonedWeights(cacheDir: string): Promise<void> {
  const weightsDir = join(cacheDir, 'weights');
  if (existsSync(weightsDir)) await removeAbandonedFiles(weightsDir);
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
