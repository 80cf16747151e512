// The edits of this machine, wired: the engine, the models that it has, and the store of clips and jobs.

import { inspect } from 'node:util';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { createEditExecutor, type EditExecutor, type EditExecutorOptions } from '../jobs/edit-executor.ts';
import { embeddingsIn, loraFileOf } from '../models/adapter-files.ts';
import { controlNetFor } from '../models/choose-controlnet.ts';
import { createLibrary, type Library } from '../models/library/library.ts';
import { previewDecoderFile } from '../models/preview-decoder-file.ts';
import { CanceledError } from '../errors.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';

export interface EditsOptions extends Pick<
  EditExecutorOptions,
  'engine' | 'clipOf' | 'uploadOf' | 'clipInfoOf' | 'onDiscard'
> {
  readonly config: Config;
  readonly log: Log;
  readonly artifacts: ArtifactStore;
  readonly library: Library;
}

/** Finds the models of this machine in the background, if the settings say so. The caller closes the library. */
export function openLibrary(config: Config, log: Log): Library {
  const library = createLibrary({
    first: config.models,
    modelsDir: config.library?.modelsDir ?? null,
    machine: config.library?.machine ?? null,
    readings: config.readings,
    cacheDir: config.cacheDir,
    onUnkept: (error) => log.warn('What was found of models could not be noted.', { error: String(error) }),
  });
  if (config.library?.looksAtStart === true) {
    library.refresh().catch((error: unknown) => {
      if (!(error instanceof CanceledError)) log.error('The look for models failed.', { error: inspect(error) });
    });
  }
  return library;
}

export function createEdits({ config, log, library, ...parts }: EditsOptions): EditExecutor {
  return createEditExecutor({
    ...parts,
    dataDir: config.dataDir,
    cacheDir: config.cacheDir,
    inversionsDir: config.inversionsDir,
    inversionsBudgetBytes: config.inversionsBudgetBytes,
    onWorkLost: (jobId, error) =>
      log.warn('The work files of a job are damaged: it begins anew.', {
        jobId,
        error: inspect(error),
      }),
    onStepUnkept: (jobId, error) =>
      log.warn('What a step of a job has left could not be kept.', { jobId, error: inspect(error) }),
    modelDirOf: (model) => library.pathOfModel(model),
    readingOf: (model, vae) => library.readingOf(model, vae),
    loraFileOf: (name) =>
      config.loras?.has(name) === true ? loraFileOf(config.loras, name) : library.pathOf('lora', name),
    vaeFileOf: (name) => config.vaes?.get(name) ?? library.pathOf('vae', name),
    async previewDecoderOf(model) {
      const { models } = library.lists();
      const info = model === null ? models[0] : models.find(({ id }) => id === model);
      const path = await library.pathOfModel(model);
      return previewDecoderFile(config.library?.modelsDir ?? null, { family: info?.family ?? null, path });
    },
    async controlFileOf({ kind, net }, model) {
      if (net === undefined) return controlNetFor(library, kind, model);
      return { name: net, file: config.controlNets?.get(net) ?? (await library.pathOf('controlnet', net)) };
    },
    async embeddingsFor(prompts) {
      await library.settled();
      return [...embeddingsIn(config.embeddings ?? new Map()), ...library.embeddingsIn(prompts)];
    },
    onStep: (jobId, { stage, step }) => log.debug('A step is finished.', { jobId, stage, step }),
  });
}
