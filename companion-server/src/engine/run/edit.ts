// One edit, from the clip's file to the result's, and what happens when a device gives wrong numbers.

import { mkdir } from 'node:fs/promises';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { EditProgress } from '../../../../protocol/progress.ts';
import { probeClip } from '../../media/probe/probe.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { ModelFamily } from '../../families/family.ts';
import type { ResumePoint } from './resume-point.ts';
import { techniqueNamed } from '../../techniques/list.ts';
import type { Technique } from '../../techniques/technique.ts';
import { chooseDevice } from '../device/device.ts';
import { chooseSettings, readEditDefaults } from '../plan/edit-defaults.ts';
import type { EditJob, GrowingPicture } from './edit-job.ts';
import { fitNotices } from './edit-report.ts';
import { EditRun } from './edit-run.ts';
import { probeIsolated } from '../device/isolated-probe.ts';
import { diskError } from '../source-cache/cache-advice.ts';
import { assessJob } from '../estimate/estimate.ts';
import { watchMemory, type MemoryWatch } from './memory-watch.ts';
import { openModel, readModelOutline } from '../model/model.ts';
import { shownToModel } from './model-view.ts';
import { ProgressMeter } from './progress-meter.ts';
import { requireResources } from '../estimate/resources.ts';
import { fallbackNotice, isNonsense, saferExecution, withoutDeviceAdvice } from './precision-fallback.ts';

export interface EditHooks {
  readonly onProgress: (progress: EditProgress) => void;
  /** After every step: an edit with the same `workDir` continues from here. */
  readonly onResumePoint?: (resumePoint: ResumePoint) => void;
  /** What the edit looks like so far, sometimes. Default: no pictures are made. */
  readonly onPicture?: (picture: GrowingPicture) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The parts that an edit uses; a test can replace them. */
export interface EditParts {
  readonly chooseExecution: (job: EditJob) => Promise<Execution>;
  readonly openModel: typeof openModel;
  /** The techniques that settings may name; all of techniques/list.ts when left out. */
  readonly techniques?: readonly Technique[];
  /** The families of checkpoints; all of families/list.ts when left out. */
  readonly families?: readonly ModelFamily[];
}

/** The parts that an edit uses in the product. */
export const realParts: EditParts = {
  chooseExecution: ({ device, cacheDir }) =>
    chooseDevice(device, (candidate, purpose) => probeIsolated(candidate, purpose, cacheDir)),
  openModel,
};

/**
 * Runs the job. An edit whose numbers become invalid continues from its last finished step in a safer way of computing,
 * as long as there is one. An edit that cannot fit is refused at once. Throws EditError with a code of
 * protocol/error-codes.ts, or CanceledError; leaves no output then.
 */
export async function runEdit(
  job: EditJob,
  { onProgress, onResumePoint = () => undefined, onPicture, signal }: EditHooks,
  parts: EditParts = realParts,
): Promise<EditReport> {
  const memory = watchMemory();
  try {
    return await runWatched(job, { onProgress, onResumePoint, onPicture, signal }, memory, parts);
  } finally {
    await memory.stop();
  }
}

/** As `EditHooks`, with what is left out made explicit. */
interface WatchedHooks extends Required<Pick<EditHooks, 'onProgress' | 'onResumePoint'>> {
  readonly onPicture: EditHooks['onPicture'] | undefined;
  readonly signal: AbortSignal | undefined;
}

async function runWatched(
  job: EditJob,
  { onProgress, onResumePoint, onPicture, signal }: WatchedHooks,
  memory: MemoryWatch,
  parts: EditParts,
): Promise<EditReport> {
  const meter = new ProgressMeter(onProgress);
  meter.begin('load', 1);
  const clip = shownToModel(job.clip ?? (await probeClip(job.inputPath, signal)), job.settings);
  const { modelDir: dir, reading, cacheDir, workDir, loras, embeddings, vae, controls } = job;
  const { families } = parts;
  const outline = await readModelOutline(dir, families, { reading, loras, embeddings, vae, controls });
  const settings = chooseSettings(job.settings, await readEditDefaults(dir, outline.defaults), job.inversion);
  const technique = techniqueNamed(settings.technique, parts.techniques);
  let execution = await parts.chooseExecution(job);
  requireResources((await assessJob(job, { clip, model: outline, settings, technique, execution, families })).refusal);
  const notices: string[] = [];
  for (;;) {
    const model = await parts.openModel({
      dir,
      reading,
      families,
      loras,
      embeddings,
      vae,
      execution,
      cacheDir,
      signal,
    });
    const run = new EditRun({
      job,
      settings,
      technique,
      clip,
      model,
      execution,
      meter,
      memory,
      onResumePoint,
      onPicture: onPicture ?? null,
      signal,
    });
    await makeWorkDir(workDir);
    try {
      const report = await run.run();
      return { ...report, notices: fitNotices([...report.notices, ...notices]) };
    } catch (error) {
      if (!isNonsense(error)) throw error;
      const safer = saferExecution(execution);
      if (safer === null) throw withoutDeviceAdvice(error);
      notices.push(fallbackNotice(execution, safer, error));
      execution = safer;
    }
  }
}

async function makeWorkDir(workDir: string): Promise<void> {
  try {
    await mkdir(workDir, { recursive: true });
  } catch (error) {
    throw diskError(workDir, error);
  }
}
