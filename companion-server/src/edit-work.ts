// What a job does on this server: an edit by the engine, inside a folder of the job's own. The folder outlives engine and
// server, so that the edit goes on where it was; what is in it is the engine's work and, at the end, the result.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codecExtensions } from '../../protocol/edit-settings.ts';
import { toEstimate } from './edit-estimate.ts';
import type { ResumePoint } from './engine/resume-point.ts';
import type { EditJob } from './engine/edit-job.ts';
import type { Engine } from './engine/supervisor.ts';
import { syncFolder } from './engine/write-durably.ts';
import { throwIfCanceled } from './errors.ts';
import type { ClipInfo } from './media/clip-info.ts';
import type { JobRecord } from './jobs/job-table.ts';
import type { JobHooks, JobOutcome, JobSpec, JobWork } from './jobs/work.ts';
import { removeAbandonedFiles } from './weights/write-whole.ts';
import { withoutPaths } from './without-paths.ts';

export interface SourceClip {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
}

export interface EditWorkOptions {
  readonly engine: Pick<Engine, 'edit' | 'estimate'>;
  /** Jobs get folders of their own in it, and inverted clips are kept there. */
  readonly dataDir: string;
  /** Copies of weights lie below this folder. */
  readonly cacheDir: string;
  /** Most bytes of inverted clips that are kept; null or left out for the engine's own choice. */
  readonly inversionsBudgetBytes?: number | null | undefined;
  /**
   * What is known of a clip's file. Throws what `probeClip` throws. Where it is null or left out, the engine looks into the
   * file each time.
   */
  readonly clipInfoOf?: ((path: string) => Promise<ClipInfo>) | null;
  /** Throws EditError 'clip-missing'. */
  readonly clipOf: (owner: string, clipId: string) => SourceClip;
  /** The folder of a model; null is the server's first. Throws EditError 'model-missing'. */
  readonly modelDirOf: (model: string | null) => string;
  /** Told of every step that is finished and on the disk. */
  readonly onStep?: (jobId: string, resumePoint: ResumePoint) => void;
}

/** The engine's work folder within a job's folder. */
const workName = 'work';

export function createEditWork(options: EditWorkOptions): JobWork {
  const { engine, dataDir, cacheDir, clipOf, modelDirOf } = options;
  const { clipInfoOf = null, onStep = () => undefined } = options;
  const jobsDir = join(dataDir, 'jobs');
  const inversionsDir = join(dataDir, 'inversions');
  const folderOf = (jobId: string): string => join(jobsDir, jobId);
  const resultPath = (jobId: string, { settings }: JobSpec): string =>
    join(folderOf(jobId), `result${codecExtensions[settings.codec]}`);

  function toEditJob(owner: string, jobId: string, spec: JobSpec): EditJob {
    const clip = clipOf(owner, spec.clipId);
    return {
      inputPath: clip.path,
      clipSha256: clip.sha256,
      outputPath: resultPath(jobId, spec),
      modelDir: modelDirOf(spec.model),
      device: spec.device,
      cacheDir,
      inversionsDir,
      inversionsBudgetBytes: options.inversionsBudgetBytes ?? null,
      workDir: join(folderOf(jobId), workName),
      settings: spec.settings,
    };
  }

  async function run({ jobId, owner, request }: JobRecord, hooks: JobHooks): Promise<JobOutcome> {
    const job = toEditJob(owner, jobId, request);
    const { outputPath, workDir } = job;
    const folder = folderOf(jobId);
    try {
      await mkdir(workDir, { recursive: true, mode: 0o700 });
      // What is beside it is a result of which a killed server has not written that it is whole.
      await removeAllBut(folder, (name) => name === workName);
      await syncFolder(jobsDir);
      const onResumePoint = (resumePoint: ResumePoint): void => {
        hooks.onStep();
        onStep(jobId, resumePoint);
      };
      const { onProgress, signal } = hooks;
      const clip = (await clipInfoOf?.(job.inputPath)) ?? null;
      const report = await engine.edit({ ...job, clip }, { onProgress, signal, onResumePoint });
      await syncFolder(folder);
      const { size } = await stat(outputPath);
      const sha256 = await hashFile(outputPath, signal);
      return { report, result: { sizeBytes: size, sha256 } };
    } catch (error) {
      await removeAbandonedWeights(cacheDir);
      throw withoutPaths(error, { 'the clip': job.inputPath, 'the result': outputPath });
    }
  }

  const isResult = (name: string): boolean =>
    Object.values(codecExtensions).some((extension) => name === `result${extension}`);
  const tidy = (jobId: string): Promise<void> => removeAllBut(folderOf(jobId), isResult);
  const discard = (jobId: string): Promise<void> => remove(folderOf(jobId));

  return {
    run,
    resultPath,
    tidy,
    discard,
    check(owner, { clipId, model }) {
      clipOf(owner, clipId);
      modelDirOf(model);
    },
    async estimate(owner, spec, past) {
      const job = toEditJob(owner, 'estimate', spec);
      const clip = (await clipInfoOf?.(job.inputPath)) ?? null;
      return toEstimate(await engine.estimate({ ...job, clip }), past);
    },
    async sweep(jobs) {
      await mkdir(jobsDir, { recursive: true, mode: 0o700 });
      for (const jobId of await readdir(jobsDir)) {
        const state = jobs.get(jobId);
        if (state === 'done') await tidy(jobId);
        else if (state === undefined || state === 'failed' || state === 'canceled') {
          await discard(jobId);
        }
      }
      await removeAbandonedWeights(cacheDir);
    },
  };
}

async function removeAllBut(folder: string, isKept: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isKept(name)) await remove(join(folder, name));
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** An engine that was ended while it copied weights leaves a part of the copy. */
async function removeAbandonedWeights(cacheDir: string): Promise<void> {
  const weightsDir = join(cacheDir, 'weights');
  if (existsSync(weightsDir)) await removeAbandonedFiles(weightsDir);
}

/** In pieces, between which the server does other things. Throws CanceledError. */
async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash, { signal });
  } catch (error) {
    throwIfCanceled(signal);
    throw error;
  }
  throwIfCanceled(signal);
  return hash.digest('hex');
}
