// The clip's own latents and where inversion took them: found on the disk when the edit goes on, taken from an earlier
// edit of the same clip, or still to be computed. Read only once the inversion is done.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LatentStore, SourceTrajectory } from '../tokenflow/latents.ts';
import type { Checkpoint } from './checkpoint.ts';
import { keepInversion, takeInversion } from './inversion-cache.ts';
import type { InversionFacts } from './inversion-entry.ts';
import { LatentFile, sourceTrajectory, type LatentFileOptions } from './latent-file.ts';
import { writeDurably } from './write-durably.ts';

export interface SourceLatentsOptions {
  readonly workDir: string;
  /** Of the latents. */
  readonly frameCount: number;
  readonly frameDims: readonly number[];
  /** All sampling timesteps, falling. */
  readonly timesteps: readonly number[];
  /** The first sampling step of this edit. */
  readonly startStep: number;
  /** Where the edit stands; null at its beginning. */
  readonly resumed: Checkpoint | null;
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

/** What is written beside the latents: how they were begun. */
interface Beginning {
  /** null when no inversions were to be kept. */
  readonly key: string | null;
  /** The first sampling step whose latents are in the file. */
  readonly startStep: number;
}

const latentsName = 'source.latents';
const beginningName = 'source.json';

export class SourceLatents {
  /** The latents came from an earlier edit: there is nothing to decode and nothing to invert. */
  readonly isTaken: boolean;
  readonly file: LatentFile;
  private readonly options: SourceLatentsOptions;
  private readonly beginning: Beginning;

  private constructor(
    options: SourceLatentsOptions,
    file: LatentFile,
    beginning: Beginning,
    isTaken: boolean,
  ) {
    this.options = options;
    this.file = file;
    this.beginning = beginning;
    this.isTaken = isTaken;
  }

  static async open(options: SourceLatentsOptions): Promise<SourceLatents> {
    const { workDir, resumed, cache, startStep } = options;
    const beginningFile = path.join(workDir, beginningName);
    if (resumed !== null) {
      const beginning = JSON.parse(await readFile(beginningFile, 'utf8')) as Beginning;
      const layout = layoutOf(options, beginning.startStep);
      const isDone = resumed.stage === 'edit';
      const file = await (isDone ? LatentFile.openWhole(layout) : LatentFile.reopen(layout));
      return new SourceLatents(options, file, beginning, isDone && resumed.inversionEvaluations === 0); // prettier-ignore
    }
    const found = cache === null ? null : await take(options, cache);
    const beginning = { key: cache?.key ?? null, startStep: found ?? startStep };
    await writeDurably(beginningFile, JSON.stringify(beginning));
    const layout = layoutOf(options, beginning.startStep);
    const file = await (found === null ? LatentFile.create(layout) : LatentFile.openWhole(layout));
    return new SourceLatents(options, file, beginning, found !== null);
  }

  /** Bytes of the file for an edit of so many sampling steps that begins at `startStep`. */
  static sizeBytes(
    {
      frameCount,
      frameDims,
      steps,
    }: Pick<SourceLatentsOptions, 'frameCount' | 'frameDims'> & { readonly steps: number },
    startStep: number,
  ): number {
    return LatentFile.sizeBytes({ frameCount, frameDims, moments: 1 + steps - startStep });
  }

  /** What the user should know of where they came from. */
  get notice(): string | null {
    return this.isTaken ? 'The inversion of an earlier edit of this clip was used again.' : null;
  }

  /** The clip itself. */
  get clean(): LatentStore {
    return this.file.moment(0);
  }

  /** Where inversion passed at the timesteps of the sampling. */
  get trajectory(): SourceTrajectory {
    return sourceTrajectory(this.file, this.timesteps, 1);
  }

  /** The store for the latents at `timestep`; undefined when sampling does not come by. */
  keepAt(timestep: number): LatentStore | undefined {
    return this.timesteps.includes(timestep) ? this.trajectory.at(timestep) : undefined;
  }

  /**
   * Keeps the finished latents for further edits, unless they came from there or were begun in another way than they
   * were ended. Returns why that was not possible, as a sentence, or null.
   */
  async keep(): Promise<string | null> {
    const { cache, workDir } = this.options;
    if (cache === null || this.isTaken || this.beginning.key !== cache.key) return null;
    const { dir, key, facts, budgetBytes } = cache;
    const { startStep } = this.beginning;
    const file = path.join(workDir, latentsName);
    try {
      const isKept = await keepInversion(dir, { key, facts, startStep, file, budgetBytes });
      return isKept ? null : 'The inversion was not kept for further edits: it is larger than the space for them.'; // prettier-ignore
    } catch (error) {
      // The edit itself goes on without.
      return `The inversion was not kept for further edits: ${reasonOf(error)}.`;
    }
  }

  private get timesteps(): readonly number[] {
    return this.options.timesteps.slice(this.beginning.startStep);
  }
}

/** A cache that cannot be read is no reason to end the edit, which can compute what it looked for. */
async function take(
  options: SourceLatentsOptions,
  { dir, key }: InversionCache,
): Promise<number | null> {
  // prettier-ignore
  const file = path.join(options.workDir, latentsName);
  const { frameCount, frameDims, timesteps } = options;
  const layout = { frameCount, frameDims, steps: timesteps.length };
  const sizeBytes = (startStep: number) => SourceLatents.sizeBytes(layout, startStep);
  try {
    return await takeInversion(dir, { key, startStep: options.startStep, sizeBytes, file });
  } catch (error) {
    process.stderr.write(`The kept inversions cannot be read: ${reasonOf(error)}.\n`);
    return null;
  }
}

function layoutOf(options: SourceLatentsOptions, startStep: number): LatentFileOptions {
  const { workDir, frameCount, frameDims, timesteps } = options;
  const moments = 1 + timesteps.length - startStep;
  return { path: path.join(workDir, latentsName), frameCount, frameDims, moments };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
