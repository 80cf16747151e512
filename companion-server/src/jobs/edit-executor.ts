// What a job does on this server: an edit by the engine, in a work folder of the job's own. The folder outlives engine
// and server, so that the edit can continue where it was; the result is beside it.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlChoice } from '../../../protocol/control.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { Estimate } from '../../../protocol/estimate.ts';
import { createTurns } from '../../../protocol/turns.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import {
  artifactName,
  isResultOf,
  jobArtifact,
  jobsFolder,
  playbackFolder,
  resultArtifact,
  workArtifact,
} from '../artifacts/ids.ts';
import type { Clip } from '../clips/clip.ts';
import { inversionsDirIn } from '../engine/source-cache/inversion-cache.ts';
import { ResumePointFile, type ResumePoint } from '../engine/run/resume-point.ts';
import type { ControlFiles, EditJob } from '../engine/run/edit-job.ts';
import type { Engine } from '../engine/worker/supervisor.ts';
import { EditError, orCanceled } from '../errors.ts';
import { isFullDisk } from '../files/disk-error.ts';
import { sha256OfFile } from '../files/sha256.ts';
import { removeAbandoned } from '../files/write-whole.ts';
import type { ClipInfo } from '../media/probe/clip-info.ts';
import { nameFiles } from '../without-paths.ts';
import { toEstimate } from './edit-estimate.ts';
import type { JobExecutor, JobHooks, JobOutcome, JobSpec } from './executor.ts';
import type { JobRow } from './store.ts';

/** Does edits and estimates them. */
export interface EditExecutor extends JobExecutor {
  /** Throws EditError when the clip or the model is not there. */
  check(owner: string, spec: JobSpec): Promise<void>;
  /**
   * What the job would take. `past`: the last report of an edit by the same model. Throws EditError; CanceledError once
   * `signal` is aborted.
   */
  estimate(owner: string, spec: JobSpec, past: EditReport | null, signal?: AbortSignal): Promise<Estimate>;
}

type Vae = NonNullable<EditJob['vae']>;
interface NamedFile {
  readonly name: string;
  readonly file: string;
}

export interface EditExecutorOptions {
  readonly engine: Pick<Engine, 'edit' | 'estimate'>;
  /** Clips, and the files of jobs. */
  readonly artifacts: ArtifactStore;
  readonly dataDir: string;
  /** Where inverted clips are kept. Default: `inversions` in `dataDir`. */
  readonly inversionsDir?: string | undefined;
  /** Copies of weights are in this folder. */
  readonly cacheDir: string;
  /** Most bytes of inverted clips that are kept; null or left out for the engine's own choice. */
  readonly inversionsBudgetBytes?: number | null | undefined;
  /**
   * The facts about a clip's file. Throws what `probeClip` throws. If it is null or left out, the engine probes the file
   * each time.
   */
  readonly clipInfoOf?: ((path: string) => Promise<ClipInfo>) | null;
  /** Throws EditError 'clip-missing'. */
  readonly clipOf: (owner: string, clipId: string) => Promise<Pick<Clip, 'artifact' | 'sha256'>>;
  /**
   * The folder or file of a model; null is the server's first. Throws EditError 'model-missing', 'model-unsupported'.
   */
  readonly modelDirOf: (model: string | null) => string | Promise<string>;
  /**
   * How the model is read in an edit with this VAE; null for its own. Throws as `modelDirOf`, 'model-damaged', and those of
   * an adapter. Default: as it says itself.
   */
  readonly readingOf?: (model: string | null, vae: Vae | null) => EditJob['reading'] | Promise<EditJob['reading']>;
  /** The absolute path of a LoRA by its name. Throws EditError 'adapter-missing', 'adapter-unsupported'. Default: there are none. */
  readonly loraFileOf?: (name: string) => string | Promise<string>;
  /** The absolute path of a VAE by its name. Throws as `loraFileOf` does. Default: there are none. */
  readonly vaeFileOf?: (name: string) => string | Promise<string>;
  /** The absolute path of a tiny decoder for pictures of a running edit; null for none. Default: none. */
  readonly previewDecoderOf?: (model: string | null) => string | null | Promise<string | null>;
  /**
   * The absolute path of the ControlNet that a choice names, or of the first that fits it and the model. Throws as
   * `loraFileOf` does. Default: there are none.
   */
  readonly controlFileOf?: (control: ControlChoice, model: string | null) => NamedFile | Promise<NamedFile>;
  /** What a client has sent with this SHA-256: a matte, a keyframe. Throws EditError 'clip-missing'. Default: there is none. */
  readonly uploadOf?: (owner: string, sha256: string) => Promise<Pick<Clip, 'artifact'>>;
  /** Called before the files of a job are removed: ends what still writes there. Never rejects. Default: nothing does. */
  readonly onDiscard?: (jobId: string) => Promise<void>;
  /** Embeddings that these prompts may mean. Default: there are none. */
  readonly embeddingsFor?: (
    prompts: readonly string[],
  ) => NonNullable<EditJob['embeddings']> | Promise<NonNullable<EditJob['embeddings']>>;
  /** Called with the reason when a job cannot continue from its work files and starts again. */
  readonly onWorkLost?: (jobId: string, error: unknown) => void;
  /** Called with the reason when the files of a step could not be stored: the next step tries again. */
  readonly onStepUnkept?: (jobId: string, error: unknown) => void;
  /** Called after every step that is finished and on the disk. */
  readonly onStep?: (jobId: string, resumePoint: ResumePoint) => void;
}

export function createEditExecutor(options: EditExecutorOptions): EditExecutor {
  const { engine, artifacts, dataDir, cacheDir, clipOf, modelDirOf, clipInfoOf = null } = options;
  const { onStep = () => undefined, onStepUnkept = () => undefined, onWorkLost = () => undefined } = options;
  const { inversionsDir = inversionsDirIn(dataDir), embeddingsFor = () => [] } = options;
  const { loraFileOf = nothingNamed('LoRA'), vaeFileOf = nothingNamed('VAE') } = options;
  const { onDiscard = () => Promise.resolve() } = options;
  const { readingOf = () => undefined, previewDecoderOf = () => null, uploadOf = noUpload } = options;
  const { controlFileOf = noControlNet } = options;

  async function vaeOf({ vae: name }: JobSpec['settings']): Promise<Vae | null> {
    return name === undefined ? null : { name, file: await vaeFileOf(name) };
  }

  async function controlFilesOf(owner: string, control: ControlChoice, model: string | null): Promise<ControlFiles> {
    const { name, file } = await controlFileOf(control, model);
    if (control.clip === undefined) return { name, file, videoPath: null };
    const { artifact } = await clipOf(owner, control.clip);
    return { name, file, videoPath: await artifacts.localPath(artifact) };
  }

  async function toEditJob(owner: string, jobId: string, spec: JobSpec): Promise<EditJob> {
    const clip = await clipOf(owner, spec.clipId);
    const { prompt, sourcePrompt, negativePrompt, loras, mask, controls = [], keyframes = [] } = spec.settings;
    const vae = await vaeOf(spec.settings);
    const reading = await readingOf(spec.model, vae);
    const matte = mask?.matte === undefined ? null : await uploadOf(owner, mask.matte.sha256);
    return {
      inputPath: await artifacts.localPath(clip.artifact),
      mattePath: matte === null ? null : await artifacts.localPath(matte.artifact),
      keyframePaths: await Promise.all(
        keyframes.map(async ({ frame, sha256 }) => {
          const { artifact } = await uploadOf(owner, sha256);
          return { frame, path: await artifacts.localPath(artifact) };
        }),
      ),
      clipSha256: clip.sha256,
      outputPath: await artifacts.localPath(resultArtifact(jobId, spec.settings.codec)),
      modelDir: await modelDirOf(spec.model),
      ...(reading === undefined ? {} : { reading }),
      loras: await Promise.all(loras.map(async (lora) => ({ ...lora, file: await loraFileOf(lora.name) }))),
      vae,
      previewDecoder: await previewDecoderOf(spec.model),
      embeddings: await embeddingsFor([prompt, sourcePrompt, negativePrompt]),
      ...(controls.length > 0 && {
        controls: await Promise.all(controls.map((control) => controlFilesOf(owner, control, spec.model))),
      }),
      device: spec.device,
      cacheDir,
      inversionsDir,
      inversionsBudgetBytes: options.inversionsBudgetBytes ?? null,
      workDir: await artifacts.localPath(workArtifact(jobId)),
      settings: spec.settings,
    };
  }

  /** The error with the client's names for its files, and with the setting that moves the folder on a full disk. */
  function explain(error: unknown, { inputPath, outputPath, modelDir, mattePath }: EditJob): unknown {
    const folders = { 'the data folder': dataDir, 'the cache folder': cacheDir };
    // One may be inside the other.
    const inwards = Object.entries(folders).sort(([, a], [, b]) => b.length - a.length);
    const isData = error instanceof EditError && error.message.includes(dataDir);
    const isShort = isFullDisk(error) && error instanceof EditError && /can't grow|is full/.test(error.message);
    const setting = isData && !dataDir.startsWith(cacheDir) ? 'TOKENFLOW_DATA' : 'TOKENFLOW_CACHE';
    const hint = `Free some space, or set ${setting} to a folder on a larger disk.`;
    const told = isShort ? new EditError(error.code, error.message, { hint, cause: error }) : error;
    const paths = { 'the clip': inputPath, 'the result': outputPath, 'the model': modelDir };
    const named = { ...(mattePath == null || mattePath === inputPath ? {} : { 'the matte': mattePath }), ...paths };
    return nameFiles(told, { ...named, ...Object.fromEntries(inwards) });
  }

  async function run(
    { jobId, owner, request }: Pick<JobRow, 'jobId' | 'owner' | 'request'>,
    hooks: JobHooks,
  ): Promise<JobOutcome> {
    const job = await toEditJob(owner, jobId, request);
    const { outputPath, workDir } = job;
    const work = workArtifact(jobId);
    const resultId = resultArtifact(jobId, request.settings.codec);
    const keeping = createTurns();
    /** A step is reported when it is stored. While one is being stored and another waits, a third joins the waiting one. */
    const keepStep = (): void => {
      if (keeping.size > 1) return;
      const kept = keeping.take(async () => {
        await artifacts.commit(work);
        hooks.onStep();
      });
      kept.catch((error: unknown) => onStepUnkept(jobId, error));
    };
    try {
      await mkdir(workDir, { recursive: true, mode: 0o700 });
      // A result beside it is from a killed server, which had not recorded that the result is complete.
      await removeOthers(jobId, (id) => id === work);
      await artifacts.commit(work);
      let furthest = await ResumePointFile.evaluationsIn(workDir);
      const onResumePoint = (resumePoint: ResumePoint): void => {
        onStep(jobId, resumePoint);
        // A resume point that is written again at the same step, or after a restart of the job, is not progress.
        if (resumePoint.evaluations <= furthest) return;
        furthest = resumePoint.evaluations;
        keepStep();
      };
      const { onProgress, onPicture, signal } = hooks;
      const clip = (await clipInfoOf?.(job.inputPath)) ?? null;
      const knownJob = { ...job, clip };
      const editHooks = { onProgress, onPicture, signal, onResumePoint };
      const hadBegun = furthest > 0;
      const report = await engine.edit(knownJob, editHooks).catch(async (error: unknown) => {
        if (!hadBegun || !mayBeOfWorkFiles(error, workDir)) throw error;
        onWorkLost(jobId, error);
        await artifacts.remove(work);
        await mkdir(workDir, { mode: 0o700 });
        return engine.edit(knownJob, editHooks);
      });
      await keeping.over();
      await artifacts.commit(resultId);
      const facts = await artifacts.facts(resultId);
      if (facts === null) throw new Error(`The engine has written no file ${artifactName(resultId)}.`);
      const sha256 = await sha256OfFile(outputPath, { signal });
      return { report, result: { sizeBytes: facts.sizeBytes, sha256 } };
    } catch (error) {
      // Deaths between steps are counted correctly only after all steps are reported.
      await keeping.over();
      await removeAbandonedWeights(cacheDir);
      throw explain(error, job);
    }
  }

  async function removeOthers(jobId: string, isKept: (id: string) => boolean): Promise<void> {
    for (const id of await artifacts.list(jobArtifact(jobId))) if (!isKept(id)) await artifacts.remove(id);
  }

  async function tidy(jobId: string): Promise<void> {
    await artifacts.remove(workArtifact(jobId));
    await removeOthers(jobId, (id) => isResultOf(jobId, id) || id === playbackFolder(jobId));
  }

  async function discard(jobId: string): Promise<void> {
    await onDiscard(jobId);
    await artifacts.remove(jobArtifact(jobId));
  }

  return {
    run,
    tidy,
    discard,
    async check(owner, { clipId, model, settings }) {
      await clipOf(owner, clipId);
      await modelDirOf(model);
      await readingOf(model, await vaeOf(settings));
      for (const { name } of settings.loras) await loraFileOf(name);
      for (const control of settings.controls ?? []) await controlFilesOf(owner, control, model);
      if (settings.mask?.matte !== undefined) await uploadOf(owner, settings.mask.matte.sha256);
      for (const { sha256 } of settings.keyframes ?? []) await uploadOf(owner, sha256);
    },
    async estimate(owner, spec, past, signal) {
      const job = await toEditJob(owner, 'estimate', spec);
      try {
        // The probe of the clip continues after a cancel: its result is cached, and the next estimate needs it too.
        const clip = clipInfoOf === null ? null : await orCanceled(clipInfoOf(job.inputPath), signal);
        return toEstimate(await engine.estimate({ ...job, clip }, signal), past);
      } catch (error) {
        throw explain(error, job);
      }
    },
    async sweep(jobs) {
      for (const id of await artifacts.list(jobsFolder)) {
        const jobId = artifactName(id);
        const state = jobs.get(jobId);
        if (state === 'done') await tidy(jobId);
        else if (state === 'failed' || state === 'canceled') await discard(jobId);
        else if (state === undefined) await artifacts.setAside(id);
      }
      await removeAbandonedWeights(cacheDir);
    },
  };
}

function noControlNet({ net, kind }: ControlChoice): never {
  return nothingNamed('ControlNet')(net ?? kind);
}

function noUpload(): never {
  throw new EditError('clip-missing', 'The server has no matte and no keyframe.', { hint: 'Send it again.' });
}

function nothingNamed(kind: string): (name: string) => never {
  return (name) => {
    throw new EditError('adapter-missing', `The server has no ${kind} named '${name}'; it has none.`);
  };
}

/** A power failure leaves incomplete files: they are cut short, missing, or not JSON. */
function mayBeOfWorkFiles(error: unknown, workDir: string): boolean {
  if (!(error instanceof EditError)) return false;
  // Both pass, and say nothing of what was written before.
  if (isFullDisk(error) || error.code === 'limit-reached') return false;
  return error.code === 'internal' || error.message.includes(workDir);
}

/** An engine that was ended while it copied weights leaves a part of the copy. */
async function removeAbandonedWeights(cacheDir: string): Promise<void> {
  const weightsDir = join(cacheDir, 'weights');
  if (existsSync(weightsDir)) await removeAbandoned(weightsDir);
}
