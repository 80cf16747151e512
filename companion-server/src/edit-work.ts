// What a job does on this server: an edit by the engine, inside a folder of the job's own. The folder outlives engine and
// server, so that the edit goes on where it was; what is in it is the engine's work and, at the end, the result.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codecExtensions } from '../../protocol/edit-settings.ts';
import { toEstimate } from './edit-estimate.ts';
import { inversionsDirIn } from './engine/source/inversion-cache.ts';
import { ResumePointFile, type ResumePoint } from './engine/run/resume-point.ts';
import type { EditJob } from './engine/run/edit-job.ts';
import type { Engine } from './engine/worker/supervisor.ts';
import { EditError, orCanceled } from './errors.ts';
import { isFullDisk, isMissing } from './files/disk-error.ts';
import { sha256OfFile } from './files/sha256.ts';
import { syncFolder } from './files/sync.ts';
import { removeAbandoned } from './files/write-whole.ts';
import type { ClipInfo } from './media/clip-info.ts';
import type { JobRecord } from './jobs/job-table.ts';
import type { JobHooks, JobOutcome, JobSpec, JobWork } from './jobs/work.ts';
import { nameFiles } from './without-paths.ts';

export interface SourceClip {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
}

export interface EditWorkOptions {
  readonly engine: Pick<Engine, 'edit' | 'estimate'>;
  /** Jobs get folders of their own in it. */
  readonly dataDir: string;
  /** Where inverted clips are kept. Default: `inversions` in `dataDir`. */
  readonly inversionsDir?: string | undefined;
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
  /** Takes folders of jobs that nobody knows. Never rejects. */
  readonly setAside: (path: string) => Promise<void>;
  /** Told why a job's work files could not be gone on with, and it begins anew. */
  readonly onWorkLost?: (jobId: string, error: unknown) => void;
  /** Told of every step that is finished and on the disk. */
  readonly onStep?: (jobId: string, resumePoint: ResumePoint) => void;
}

/** What was on its way out of the jobs' folder begins with this. */
const trashPrefix = 'removed-';

/** The engine's work folder within a job's folder. */
const workName = 'work';

export function createEditWork(options: EditWorkOptions): JobWork {
  const { engine, dataDir, cacheDir, clipOf, modelDirOf, setAside, clipInfoOf = null } = options;
  const { onStep = () => undefined, onWorkLost = () => undefined } = options;
  const jobsDir = join(dataDir, 'jobs');
  const { inversionsDir = inversionsDirIn(dataDir) } = options;
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

  /** The error with the client's words for its files, and with the setting that moves what has found no room. */
  function explain(error: unknown, { inputPath, outputPath, modelDir }: EditJob): unknown {
    const folders = { 'the data folder': dataDir, 'the cache folder': cacheDir };
    // One may lie in the other.
    const inwards = Object.entries(folders).sort(([, a], [, b]) => b.length - a.length);
    const isData = error instanceof EditError && error.message.includes(dataDir);
    const isShort = isFullDisk(error) && error instanceof EditError && /can't grow|is full/.test(error.message);
    const setting = isData && !dataDir.startsWith(cacheDir) ? 'TOKENFLOW_DATA' : 'TOKENFLOW_CACHE';
    const hint = `Free some space, or set ${setting} to a folder on a larger disk.`;
    const told = isShort ? new EditError(error.code, error.message, { hint, cause: error }) : error;
    const paths = { 'the clip': inputPath, 'the result': outputPath, 'the model': modelDir };
    return nameFiles(told, { ...paths, ...Object.fromEntries(inwards) });
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
      let furthest = await ResumePointFile.evaluationsIn(workDir);
      const onResumePoint = (resumePoint: ResumePoint): void => {
        onStep(jobId, resumePoint);
        // One that is written again at the same step, or after a new beginning, is no progress.
        if (resumePoint.evaluations <= furthest) return;
        furthest = resumePoint.evaluations;
        hooks.onStep();
      };
      const { onProgress, signal } = hooks;
      const clip = (await clipInfoOf?.(job.inputPath)) ?? null;
      const knownJob = { ...job, clip };
      const editHooks = { onProgress, signal, onResumePoint };
      const hadBegun = furthest > 0;
      const report = await engine.edit(knownJob, editHooks).catch(async (error: unknown) => {
        if (!hadBegun || !mayBeOfWorkFiles(error, workDir)) throw error;
        onWorkLost(jobId, error);
        await remove(workDir);
        await mkdir(workDir, { mode: 0o700 });
        return engine.edit(knownJob, editHooks);
      });
      await syncFolder(folder);
      const { size } = await stat(outputPath);
      const sha256 = await sha256OfFile(outputPath, { signal });
      return { report, result: { sizeBytes: size, sha256 } };
    } catch (error) {
      await removeAbandonedWeights(cacheDir);
      throw explain(error, job);
    }
  }

  const isResult = (name: string): boolean =>
    Object.values(codecExtensions).some((extension) => name === `result${extension}`);
  const tidy = (jobId: string): Promise<void> => removeAllBut(folderOf(jobId), isResult);

  /** In two steps, so that a server that ends in between knows what was to go; the mark stays when it cannot go now. */
  async function discard(jobId: string): Promise<void> {
    const mark = join(jobsDir, `${trashPrefix}${jobId}`);
    try {
      await rename(folderOf(jobId), mark);
    } catch (error) {
      if (isMissing(error)) return;
      await writeFile(mark, '');
      await remove(folderOf(jobId));
    }
    await remove(mark);
  }

  return {
    run,
    resultPath,
    tidy,
    discard,
    check(owner, { clipId, model }) {
      clipOf(owner, clipId);
      modelDirOf(model);
    },
    async estimate(owner, spec, past, signal) {
      const job = toEditJob(owner, 'estimate', spec);
      try {
        // A look into the clip goes on when nobody waits for it: what it finds is kept, and the next estimate needs it too.
        const clip = clipInfoOf === null ? null : await orCanceled(clipInfoOf(job.inputPath), signal);
        return toEstimate(await engine.estimate({ ...job, clip }, signal), past);
      } catch (error) {
        throw explain(error, job);
      }
    },
    async sweep(jobs) {
      await mkdir(jobsDir, { recursive: true, mode: 0o700 });
      const names = await readdir(jobsDir);
      for (const mark of names.filter((name) => name.startsWith(trashPrefix))) {
        await remove(folderOf(mark.slice(trashPrefix.length)));
        await remove(join(jobsDir, mark));
      }
      for (const jobId of await readdir(jobsDir)) {
        const state = jobs.get(jobId);
        if (state === 'done') await tidy(jobId);
        else if (state === 'failed' || state === 'canceled') await discard(jobId);
        else if (state === undefined) await setAside(folderOf(jobId));
      }
      await removeAbandonedWeights(cacheDir);
    },
  };
}

/** A machine without power leaves files half-written: they are cut short, missing, or no JSON. */
function mayBeOfWorkFiles(error: unknown, workDir: string): boolean {
  if (!(error instanceof EditError)) return false;
  // Both pass, and say nothing of what was written before.
  if (isFullDisk(error) || error.code === 'limit-reached') return false;
  return error.code === 'internal' || error.message.includes(workDir);
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
  if (existsSync(weightsDir)) await removeAbandoned(weightsDir);
}
