// Whole edits that are small enough for tests: the tiny checkpoint, a few steps at 64 pixels, on the CPU.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { ResumePoint } from '../companion-server/src/engine/run/resume-point.ts';
import type { EditJob } from '../companion-server/src/engine/run/edit-job.ts';
import { runEdit, type EditHooks } from '../companion-server/src/engine/run/edit.ts';
import type { ClipInfo } from '../companion-server/src/media/probe/clip-info.ts';
import { probeClip } from '../companion-server/src/media/probe/probe.ts';
import { makeClip } from '../companion-server/src/media/testing/clips.ts';
import type { EditReport } from '../protocol/edit-report.ts';
import { defaultSettings, type EditSettings } from '../protocol/edit-settings.ts';
import type { EditProgress } from '../protocol/progress.ts';
import { tinyPrompts } from './fixtures/tiny-checkpoint.ts';
import { sharingParts } from './sharing-parts.ts';

/** What edits of a test have in common. */
export interface TinyEdits {
  /** Their results, work folders and cache lie there. */
  readonly dir: string;
  readonly modelDir: string;
  readonly inputPath: string;
}

/** Its result and its work folder are named `name`. */
export function tinyJob(
  { dir, modelDir, inputPath }: TinyEdits,
  name: string,
  settings: Partial<EditSettings>,
): EditJob {
  return {
    inputPath,
    outputPath: path.join(dir, `${name}.mov`),
    modelDir,
    device: 'cpu',
    cacheDir: path.join(dir, 'cache'),
    workDir: path.join(dir, name),
    settings: {
      ...defaultSettings(settings.technique),
      prompt: tinyPrompts.target,
      sourcePrompt: tinyPrompts.source,
      steps: 2,
      inversionSteps: 2,
      guidance: 3,
      size: { width: 64, height: 64 },
      ...settings,
    },
  };
}

const probed = new Map<string, Promise<ClipInfo>>();

/** The edit, on sessions that the edits of a test file share. It is told what is in its clip, which is looked into once. */
export async function runSharing(job: EditJob, hooks: EditHooks): Promise<EditReport> {
  const clip = probed.get(job.inputPath) ?? probeClip(job.inputPath);
  probed.set(job.inputPath, clip);
  return runEdit({ ...job, clip: await clip }, hooks, sharingParts);
}

export async function runTinyEdit(job: EditJob): Promise<{ report: EditReport; progress: EditProgress[] }> {
  const progress: EditProgress[] = [];
  const report = await runSharing(job, { onProgress: (state) => progress.push(state) });
  return { report, progress };
}

/** Runs until the resume point, then ends as a killed process does: in the middle of everything. */
export async function runUntil(job: EditJob, stage: ResumePoint['stage'], step: number): Promise<void> {
  const stop = new Error('killed');
  const onResumePoint = (reached: ResumePoint) => {
    if (reached.stage === stage && reached.step === step) throw stop;
  };
  await expect(runSharing(job, { onProgress: () => undefined, onResumePoint })).rejects.toBe(stop);
}

/** The pixels of its result's frames, red, green and blue, as ffmpeg reads them. */
export async function framesOf({ outputPath }: EditJob): Promise<readonly Uint8Array[]> {
  const pictures = [
    '-i',
    outputPath,
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'rgb24',
    '-f',
    'image2pipe',
    '-c:v',
    'ppm',
  ];
  const bytes = await readFile(await makeClip(`${outputPath}.ppm`, pictures));
  const frames: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length;) {
    // P6, width, height, 255, then three bytes a pixel.
    const [head, width, height] = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString('latin1', offset, offset + 40)) ?? [];
    if (head === undefined) throw new Error(`${outputPath}: no picture of 8 bits at byte ${offset}.`);
    const begin = offset + head.length;
    offset = begin + 3 * Number(width) * Number(height);
    frames.push(new Uint8Array(bytes.subarray(begin, offset)));
  }
  return frames;
}
