// How far an edit is, so that the next engine process can continue after a crash. The latents themselves are in the
// latent files; this says which of them are complete.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from '../../files/disk-error.ts';
import { writeWhole } from '../../files/write-whole.ts';
import { cacheAdvice } from '../source-cache/cache-advice.ts';

export interface ResumePoint {
  /** The stage that `step` counts: so many of its steps are finished. */
  readonly stage: 'invert' | 'edit';
  readonly step: number;
  /** UNet forwards of one latent so far, and how many of them were the inversion's. */
  readonly evaluations: number;
  readonly inversionEvaluations: number;
}

const fileName = 'resume-point.json';

interface Saved {
  readonly key: string;
  readonly resumePoint: ResumePoint;
}

/** A file that is missing, or that a power failure has left incomplete, counts as no resume point. */
async function readSaved(file: string): Promise<Saved | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  try {
    return text === null ? null : (JSON.parse(text) as Saved);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The resume point of one edit in its work folder. A resume point of another edit is ignored. */
export class ResumePointFile {
  private readonly file: string;
  private readonly identify: () => Promise<unknown>;
  private key: string | null = null;

  /** UNet forwards of the last resume point in the folder, whichever edit it is of; 0 where there is none. */
  static async evaluationsIn(workDir: string): Promise<number> {
    const saved = await readSaved(path.join(workDir, fileName));
    return saved?.resumePoint.evaluations ?? 0;
  }

  /** `identify` says everything that the latents depend on, as plain data; it is called once. */
  constructor(workDir: string, identify: () => Promise<unknown>) {
    this.file = path.join(workDir, fileName);
    this.identify = identify;
  }

  async read(): Promise<ResumePoint | null> {
    const saved = await readSaved(this.file);
    return saved?.key === (await this.ownKey()) ? saved.resumePoint : null;
  }

  /** On the disk when this returns; a process that is killed leaves the old one or the new one. */
  async write(resumePoint: ResumePoint): Promise<void> {
    await writeWhole(this.file, JSON.stringify({ key: await this.ownKey(), resumePoint }), cacheAdvice);
  }

  private async ownKey(): Promise<string> {
    this.key ??= createHash('sha256')
      .update(JSON.stringify(await this.identify()))
      .digest('hex');
    return this.key;
  }
}
