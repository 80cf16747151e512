// All that an edit needs of its source, in one file: the clip's own latents, the inverted latents of each sampling
// timestep, and the correspondences found on the way. The file is already on the disk when an edit continues, or comes
// from an earlier edit of the same clip, or is still to be computed. It is read only after the inversion.

import { readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../files/write-whole.ts';
import type { CorrespondenceStore } from '../../tokenflow/correspondences.ts';
import type { LatentStore, SourceTrajectory } from '../../tokenflow/latents.ts';
import type { ResumePoint } from '../run/resume-point.ts';
import {
  keepInversion,
  takeInversion,
  type KeepOptions,
  type TakenInversion,
  type TakeOptions,
} from './inversion-cache.ts';
import type { InversionFacts, SourceAnalysis } from './inversion-entry.ts';
import { CorrespondenceFile, type CorrespondenceFileOptions } from './correspondence-file.ts';
import { cacheAdvice, diskError } from './cache-advice.ts';
import { LatentFile, sourceTrajectory, type LatentFileOptions } from './latent-file.ts';

export interface SourceLayout {
  /** Of the latents. */
  readonly frameCount: number;
  readonly frameDims: readonly number[];
  /** Tokens of a frame whose correspondences are cached at every step; null when none are. */
  readonly cachedTokens: number | null;
  /** Whether the end of the inversion is kept as well, which may lie above the first sampling timestep. */
  readonly keepsNoisiest: boolean;
  /** Whether the residuals of a `noised` inversion are kept, one for each sampling timestep. */
  readonly keepsResiduals: boolean;
}

export interface SourceLatentsOptions extends SourceLayout {
  readonly workDir: string;
  /** All sampling timesteps, falling. */
  readonly timesteps: readonly number[];
  /** The first sampling step of this edit. */
  readonly startStep: number;
  /** The edit's progress; null at its beginning. */
  readonly resumed: ResumePoint | null;
  /** Where inversions are kept; null to keep none. */
  readonly cache: InversionCache | null;
}

export interface InversionCache {
  readonly dir: string;
  /** Of everything that the latents depend on. */
  readonly key: string;
  readonly facts: InversionFacts;
  /** null for the default. */
  readonly budgetBytes: number | null;
}

/** The settings with which the latents were begun, written beside them. */
interface Beginning {
  /** null when no inversions were to be kept. */
  readonly key: string | null;
  /** The first sampling step whose latents are in the file. */
  readonly startStep: number;
}

const latentsName = 'source.latents';
const beginningName = 'source.json';
const analysisName = 'analysis.json';

export class SourceLatents {
  /** The latents came from an earlier edit: nothing must be decoded or inverted. */
  readonly isTaken: boolean;
  readonly file: LatentFile;
  private readonly correspondenceFile: CorrespondenceFile | null;
  private readonly options: SourceLatentsOptions;
  private readonly beginning: Beginning;
  private found: SourceAnalysis | null;

  private constructor(
    options: SourceLatentsOptions,
    files: { readonly latents: LatentFile; readonly correspondences: CorrespondenceFile | null },
    beginning: Beginning,
    known: { readonly isTaken: boolean; readonly analysis: SourceAnalysis | null },
  ) {
    this.options = options;
    this.file = files.latents;
    this.correspondenceFile = files.correspondences;
    this.beginning = beginning;
    this.isTaken = known.isTaken;
    this.found = known.analysis;
  }

  static async open(options: SourceLatentsOptions): Promise<SourceLatents> {
    const { workDir, resumed, cache, startStep } = options;
    const beginningFile = path.join(workDir, beginningName);
    if (resumed !== null) {
      const beginning = await readJson<Beginning>(beginningFile);
      const analysis = await readJson<SourceAnalysis>(path.join(workDir, analysisName));
      const isDone = resumed.stage === 'edit';
      const files = await openFiles(options, beginning.startStep, isDone ? 'whole' : 'again');
      const isTaken = isDone && resumed.inversionEvaluations === 0;
      return new SourceLatents(options, files, beginning, { isTaken, analysis });
    }
    const taken = cache === null ? null : await take(options, cache);
    const beginning = { key: cache?.key ?? null, startStep: taken?.startStep ?? startStep };
    await writeWhole(beginningFile, JSON.stringify(beginning), cacheAdvice);
    const files = await openFiles(options, beginning.startStep, taken === null ? 'new' : 'whole');
    const source = new SourceLatents(options, files, beginning, { isTaken: taken !== null, analysis: null });
    if (taken !== null) await source.setAnalysis(taken.analysis);
    return source;
  }

  /** Bytes of the file for an edit of so many sampling steps that begins at `startStep`. */
  static sizeBytes(layout: SourceLayout & { readonly steps: number }, startStep: number): number {
    return latentBytes(layout, startStep) + correspondenceBytes(layout, startStep);
  }

  /** Notices for the user about the origin of the latents. */
  get notice(): string | null {
    return this.isTaken ? 'The inversion of an earlier edit of this clip was used again.' : null;
  }

  /** The clip itself. */
  get clean(): LatentStore {
    return this.file.slot(0);
  }

  /** The inverted latents at the timesteps of sampling. */
  get trajectory(): SourceTrajectory {
    return sourceTrajectory(this.file, this.timesteps, 1);
  }

  /** The end of the inversion. Throws TypeError when it is not kept. */
  get noisiest(): LatentStore {
    if (!this.options.keepsNoisiest) throw new TypeError('The end of the inversion is not kept.');
    return this.file.slot(1 + this.timesteps.length);
  }

  /** What the step at a sampling timestep missed. Throws TypeError when residuals are not kept. */
  residualAt(timestep: number): LatentStore {
    if (!this.options.keepsResiduals) throw new TypeError('The residuals of the inversion are not kept.');
    return sourceTrajectory(this.file, this.timesteps, 1 + this.timesteps.length).at(timestep);
  }

  /** Throws TypeError when none are cached. */
  get correspondences(): CorrespondenceStore {
    if (this.correspondenceFile === null) throw new TypeError('No correspondences of the source are cached.');
    return this.correspondenceFile;
  }

  /** The store for the latents at `timestep`; undefined when sampling does not use that timestep. */
  keepAt(timestep: number): LatentStore | undefined {
    return this.timesteps.includes(timestep) ? this.trajectory.at(timestep) : undefined;
  }

  /** The first sampling step whose latents and correspondences are in the file. */
  get startStep(): number {
    return this.beginning.startStep;
  }

  /** null until they are set. */
  get analysis(): SourceAnalysis | null {
    return this.found;
  }

  /** On the disk when this returns. */
  async setAnalysis(analysis: SourceAnalysis): Promise<void> {
    this.found = analysis;
    await writeWhole(path.join(this.options.workDir, analysisName), JSON.stringify(analysis), cacheAdvice);
  }

  async sync(): Promise<void> {
    await this.file.sync();
    await this.correspondenceFile?.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
    await this.correspondenceFile?.close();
  }

  /**
   * Keeps the finished latents for further edits, unless they came from there or were begun in another way than they
   * were ended. Returns why that was not possible, as a sentence, or null.
   */
  async keep(): Promise<string | null> {
    const { cache, workDir } = this.options;
    const analysis = this.found;
    if (cache === null || this.isTaken || this.beginning.key !== cache.key) return null;
    if (analysis === null) return null;
    const file = path.join(workDir, latentsName);
    return keepOrTell(cache, { analysis, startStep: this.beginning.startStep, file });
  }

  private get timesteps(): readonly number[] {
    return this.options.timesteps.slice(this.beginning.startStep);
  }
}

/** Caches finished latents. Returns null, or a sentence that says why this failed; the edit then continues without it. */
export async function keepOrTell(
  { dir, key, facts, budgetBytes }: InversionCache,
  kept: Pick<KeepOptions, 'analysis' | 'startStep' | 'file'>,
): Promise<string | null> {
  try {
    const isKept = await keepInversion(dir, { key, facts, budgetBytes, ...kept });
    return isKept ? null : 'The inversion was not kept for further edits: it is larger than the space for them.';
  } catch (error) {
    // Clients don't know the server's files, which the message names.
    process.stderr.write(`The inversion was not kept: ${reasonOf(error)}.\n`);
    return `The inversion was not kept for further edits${codeOf(error)}.`;
  }
}

/** A cache that cannot be read is no reason to end the edit, which can compute what it looked for. */
export async function takeOrTell(
  { dir, key }: InversionCache,
  wanted: Omit<TakeOptions, 'key'>,
): Promise<TakenInversion | null> {
  try {
    return await takeInversion(dir, { key, ...wanted });
  } catch (error) {
    process.stderr.write(`The kept inversions cannot be read: ${reasonOf(error)}.\n`);
    return null;
  }
}

function take(options: SourceLatentsOptions, cache: InversionCache): Promise<TakenInversion | null> {
  const { workDir, startStep, timesteps } = options;
  const layout = { ...options, steps: timesteps.length };
  const sizeBytes = (step: number) => SourceLatents.sizeBytes(layout, step);
  return takeOrTell(cache, { startStep, sizeBytes, file: path.join(workDir, latentsName) });
}

/** A new file has its full size at once: keyframes leave holes in the correspondences. */
async function openFiles(
  options: SourceLatentsOptions,
  startStep: number,
  how: 'new' | 'again' | 'whole',
): Promise<{ readonly latents: LatentFile; readonly correspondences: CorrespondenceFile | null }> {
  const layout = latentLayout(options, startStep);
  const latents = await openLatents(layout, how);
  const place = correspondencePlace(options, startStep);
  if (place === null) return { latents, correspondences: null };
  try {
    if (how === 'new') await truncate(place.path, place.firstByte + CorrespondenceFile.sizeBytes(place));
    return { latents, correspondences: await CorrespondenceFile.open(how === 'whole' ? 'r' : 'r+', place) };
  } catch (error) {
    await latents.close();
    throw diskError(place.path, error);
  }
}

function openLatents(layout: LatentFileOptions, how: 'new' | 'again' | 'whole') {
  switch (how) {
    case 'new':
      return LatentFile.create(layout);
    case 'again':
      return LatentFile.reopen(layout);
    case 'whole':
      return LatentFile.openWhole(layout);
  }
}

function latentLayout(options: SourceLatentsOptions, startStep: number): LatentFileOptions {
  const { workDir, frameCount, frameDims, timesteps } = options;
  const slots = slotsOf({ ...options, steps: timesteps.length }, startStep);
  return { path: path.join(workDir, latentsName), frameCount, frameDims, slots };
}

function correspondencePlace(options: SourceLatentsOptions, startStep: number): CorrespondenceFileOptions | null {
  const { workDir, frameCount, cachedTokens: tokens, timesteps } = options;
  if (tokens === null) return null;
  const steps = timesteps.length;
  const firstByte = latentBytes({ ...options, steps }, startStep);
  return { path: path.join(workDir, latentsName), firstByte, frameCount, tokens, startStep, endStep: steps };
}

/** The clip itself, the sampling timesteps from the noisiest down, and the end of the inversion or the residuals. */
function slotsOf(
  { steps, keepsNoisiest, keepsResiduals }: SourceLayout & { readonly steps: number },
  startStep: number,
): number {
  const kept = steps - startStep;
  return 1 + kept + (keepsNoisiest ? 1 : 0) + (keepsResiduals ? kept : 0);
}

function latentBytes(layout: SourceLayout & { readonly steps: number }, startStep: number): number {
  const { frameCount, frameDims } = layout;
  return LatentFile.sizeBytes({ frameCount, frameDims, slots: slotsOf(layout, startStep) });
}

function correspondenceBytes(
  { frameCount, cachedTokens: tokens, steps }: SourceLayout & { readonly steps: number },
  startStep: number,
): number {
  return tokens === null ? 0 : CorrespondenceFile.sizeBytes({ tokens, frameCount, startStep, endStep: steps });
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

/** ` (ENOSPC)` */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
