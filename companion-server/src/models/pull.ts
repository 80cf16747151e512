// A whole checkpoint from the hub into the models folder: it is put together beside its place, checked, and appears
// under its name only when nothing is missing.

import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EditError, throwIfCanceled } from '../errors.ts';
import { openCheckpoint } from '../families/open-checkpoint.ts';
import { explainingDisk, isMissing } from '../files/disk-error.ts';
import { freeBytesAt } from '../files/free-space.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import { openPartFile } from '../files/part-file.ts';
import { renameDurably } from '../files/sync.ts';
import type { CatalogFile, CatalogModel, HubSource } from './catalog-file.ts';
import { downloadFile } from './hub/download-file.ts';
import { fileUrl, type Hub } from './hub/hub-address.ts';
import { refusalOf } from './hub/hub-refusal.ts';
import { askHub } from './hub/hub-request.ts';
import { withRetries, type Patience } from './hub/hub-trouble.ts';
import {
  discardDir,
  isCheckpointFolder,
  modelDir,
  readReferences,
  stagingDir,
  withModelLock,
} from './models-folder.ts';
import { pullStateName, readPullState, writePullState, type StagedFile } from './pull-state.ts';
import { readManifest, writeManifest } from './manifest.ts';
import { identify, isDescribed, type RemoteFile } from './hub/remote-file.ts';
import { typed } from '../typed-command.ts';

/** Room that is left on the disk beside the download. */
const reserveBytes = 64 * 2 ** 20;

export interface PullProgress {
  /** The file that is being fetched. */
  readonly path: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface PullOptions extends Patience {
  readonly model: CatalogModel & { readonly hub: HubSource };
  readonly hub: Hub;
  readonly modelsDir: string;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Called when there is something to download; what it throws ends the pull. */
  readonly accept?: () => Promise<void>;
  /** Free bytes on the disk of a folder. */
  readonly freeBytesAt?: (dir: string) => Promise<number>;
  readonly idleMs?: number;
}

export interface PulledModel {
  readonly dir: string;
  /** False when it was there already. */
  readonly isNew: boolean;
}

/**
 * Downloads a model, or the rest of it. Throws EditError: 'model-missing', 'model-gated', 'download-refused',
 * 'connection-lost', 'transfer-damaged', 'disk-full', 'output-unwritable', 'model-damaged', 'model-unsupported';
 * CanceledError. What was downloaded is kept for the next time, unless it is wrong.
 */
export async function pullModel(options: PullOptions): Promise<PulledModel> {
  const { model, modelsDir } = options;
  const { id } = model;
  const staging = stagingDir(modelsDir, id);
  return withModelLock(modelsDir, id, async () => {
    const dir = modelDir(modelsDir, id, model.kind);
    if (await isThere(options, dir)) {
      await rm(staging, { recursive: true, force: true });
      return { dir, isNew: false };
    }
    await options.accept?.();
    await makeFolder(staging);
    await fetchFiles(options, staging);
    // Before anybody sees it: what the engine cannot load is not offered.
    await requireUsable(model, staging);
    await moveIntoPlace(modelsDir, model, staging);
    return { dir, isNew: true };
  });
}

/** Throws EditError 'model-damaged', 'model-unsupported'. */
async function requireUsable({ kind, hub: { files } }: PullOptions['model'], dir: string): Promise<void> {
  if (kind === 'checkpoint') {
    await openCheckpoint(dir, { variant: 'fp16' });
    return;
  }
  for (const { path } of files) if (path.endsWith('.safetensors')) await openSafetensors(join(dir, ...path.split('/')));
}

async function isThere({ model, modelsDir }: PullOptions, dir: string): Promise<boolean> {
  if (readReferences(modelsDir).has(model.id)) {
    throw new EditError('invalid-request', `${model.id} is a folder that was added by reference.`, {
      hint: `Take the reference away first: ${typed(`models remove ${model.id}`)}`,
    });
  }
  if (model.kind === 'checkpoint' ? !isCheckpointFolder(dir) : !existsSync(dir)) return false;
  const record = await readManifest(dir);
  if (record === undefined) {
    throw new EditError('invalid-request', `${dir} is there, but was not pulled.`, {
      hint: 'Rename or move the folder, then pull again.',
    });
  }
  return record.repository === model.hub.repository && record.revision === model.hub.revision;
}

async function fetchFiles(options: PullOptions, staging: string): Promise<void> {
  const { model, hub, signal, onProgress } = options;
  const { repository, revision, files } = model.hub;
  const endpoint = hub.base.href;
  const kept = await keptFiles(staging, model.hub, endpoint);
  const state = new Map(kept);
  const save = (): Promise<void> => writePullState(staging, { endpoint, repository, revision, files: state });

  const sizes = await describeFiles(options, state);
  const totalBytes = sum(files.map(({ path }) => sizes.get(path) ?? 0));
  await requireSpace(options, staging, files, sizes, state);

  let wholeBytes = 0;
  for (const file of files) {
    throwIfCanceled(signal);
    const size = sizes.get(file.path) ?? 0;
    if (state.get(file.path)?.isDone !== true) {
      const onSize = (bytes: number): void =>
        onProgress?.({ path: file.path, doneBytes: wholeBytes + bytes, totalBytes });
      const begun = state.get(file.path) ?? null;
      const onBegin = async (remote: RemoteFile): Promise<void> => {
        state.set(file.path, { ...remote, isDone: false });
        await save();
      };
      const done = await fetchOne(options, file, { staging, begun, onBegin, onSize });
      state.set(file.path, { ...done, isDone: true });
      await save();
    }
    wholeBytes += size;
  }
  await writeManifest(staging, {
    id: model.id,
    endpoint,
    repository,
    revision,
    licence: model.licence.name,
    pulledAt: new Date().toISOString(),
    files: files.map(({ path }) => {
      const { sizeBytes, sha256, etag } = state.get(path) as StagedFile;
      return { path, sizeBytes, sha256: sha256 ?? '', etag };
    }),
  });
}

interface OneFile {
  readonly staging: string;
  readonly begun: RemoteFile | null;
  readonly onBegin: (remote: RemoteFile) => Promise<void>;
  readonly onSize: (bytes: number) => void;
}

async function fetchOne(
  options: PullOptions,
  file: CatalogFile,
  { staging, begun, onBegin, onSize }: OneFile,
): Promise<RemoteFile & { readonly sha256: string }> {
  const path = join(staging, ...file.path.split('/'));
  const partPath = `${path}.part`;
  await makeFolder(dirname(path));
  await takeBack(path, partPath);
  const part = await openPartFile(partPath);
  try {
    const { hub, model } = options;
    const done = await downloadFile({ ...options, hub, source: model.hub, file, part, begun, onBegin, onSize });
    await part.close();
    await renameDurably(partPath, path);
    return done;
  } finally {
    await part.close();
  }
}

/** A run that was killed after it had named the file, and before it had noted that: the file is a whole part. */
async function takeBack(path: string, partPath: string): Promise<void> {
  if ((await sizeOf(path)) !== undefined) await rename(path, partPath);
}

/** What an earlier run left and this one can use: begun at the same hub, of the same revision. */
async function keptFiles(
  staging: string,
  { repository, revision, files }: HubSource,
  endpoint: string,
): Promise<ReadonlyMap<string, StagedFile>> {
  const state = await readPullState(staging);
  const isSame = state?.endpoint === endpoint && state.repository === repository && state.revision === revision;
  if (!isSame) return new Map();
  const kept = new Map<string, StagedFile>();
  for (const [path, file] of state.files) {
    const known = files.find((one) => one.path === path);
    // A newer catalogue may know more than the one that the download was begun with.
    if (known === undefined || (known.sha256 ?? file.sha256) !== file.sha256) continue;
    const size = file.isDone ? await sizeOf(join(staging, ...path.split('/'))) : undefined;
    if (!file.isDone || size === file.sizeBytes) kept.set(path, file);
  }
  return kept;
}

/** Asks for every file that is missing: what is gated, gone or too large is known before the first byte. */
async function describeFiles(
  options: PullOptions,
  state: ReadonlyMap<string, StagedFile>,
): Promise<ReadonlyMap<string, number>> {
  const { model, hub, signal, idleMs } = options;
  const sizes = new Map<string, number>();
  for (const file of model.hub.files) {
    const known = state.get(file.path);
    if (known?.isDone === true) {
      sizes.set(file.path, known.sizeBytes);
      continue;
    }
    const url = fileUrl(hub, model.hub, file.path);
    const request = { method: 'HEAD', isEnough: isDescribed, signal, idleMs } as const;
    const remote = await withRetries(async () => {
      const answer = await askHub(hub, url, request);
      answer.body.destroy();
      if (answer.status === 200 || isDescribed(answer.hubHeaders)) return identify(answer, file);
      throw refusalOf(answer, hub, model.hub, file.path);
    }, options);
    sizes.set(file.path, remote.sizeBytes);
  }
  return sizes;
}

async function requireSpace(
  { model, freeBytesAt: freeAt = freeBytesAt }: PullOptions,
  staging: string,
  files: readonly CatalogFile[],
  sizes: ReadonlyMap<string, number>,
  state: ReadonlyMap<string, StagedFile>,
): Promise<void> {
  const missing = await Promise.all(
    files.map(async ({ path }) => {
      const size = sizes.get(path) ?? 0;
      const file = state.get(path);
      if (file?.isDone === true) return 0;
      const begun = file && (await sizeOf(join(staging, ...`${path}.part`.split('/'))));
      return Math.max(0, size - (begun ?? 0));
    }),
  );
  const needed = sum(missing) + reserveBytes;
  const free = await freeAt(staging);
  if (free >= needed) return;
  throw new EditError(
    'disk-full',
    `${model.id} needs ${megabytes(needed)} more on the disk of ${staging}, ${megabytes(free)} are free.`,
    { hint: 'Free some space, or choose another data folder with TOKENFLOW_DATA.' },
  );
}

async function moveIntoPlace(modelsDir: string, { id, kind }: PullOptions['model'], staging: string): Promise<void> {
  const dir = modelDir(modelsDir, id, kind);
  const old = discardDir(modelsDir, id);
  await explainingDisk(dir, {}, async () => {
    await mkdir(dirname(dir), { recursive: true });
    if (existsSync(dir) && (kind !== 'checkpoint' || isCheckpointFolder(dir))) await rename(dir, old);
    await renameDurably(staging, dir);
    await rm(join(dir, pullStateName), { force: true });
    await rm(old, { recursive: true, force: true });
  });
}

async function makeFolder(dir: string): Promise<void> {
  await explainingDisk(dir, {}, () => mkdir(dir, { recursive: true }));
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
