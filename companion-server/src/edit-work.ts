// The work of one job on this server: an edit by the engine, inside a folder that the server makes for it.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DeviceChoice } from '../../protocol/devices.ts';
import { codecExtensions, type EditSettings } from '../../protocol/edit-settings.ts';
import type { EditReport } from '../../protocol/edit-report.ts';
import type { Engine } from './engine/supervisor.ts';
import type { Work } from './jobs/queue.ts';

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
  /** Where float32 copies of weights are kept between runs. */
  readonly weightsDir: string;
}

export interface EditWork {
  readonly work: Work<EditSpec, EditResult>;
  /** Removes a job's folder. */
  readonly discard: (jobId: string) => Promise<void>;
}

/** The work function for the job queue. A job that fails or is canceled leaves no folder. */
export function createEditWork({ engine, jobsDir, weightsDir }: EditWorkOptions): EditWork {
  const folderOf = (jobId: string): string => join(jobsDir, jobId);
  const discard = (jobId: string): Promise<void> =>
    rm(folderOf(jobId), { recursive: true, force: true, maxRetries: 3 });

  return {
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
            cacheDir: weightsDir,
            workDir: join(folder, 'work'),
            settings,
          },
          hooks,
        );
        const { size } = await stat(path);
        return { path, sizeBytes: size, sha256: await hashFile(path), report };
      } catch (error) {
        await discard(jobId);
        throw error;
      }
    },
  };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
