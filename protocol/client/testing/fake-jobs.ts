// What the server in memory says of clips and jobs.

import type { EditReport } from '../../edit-report.ts';
import type { Estimate, Estimates } from '../../estimate.ts';
import type { EditRequest, JobCreate } from '../../messages/job-messages.ts';
import type { JobView } from '../../job.ts';
import type { MediaFacts } from '../../media-facts.ts';

export const clipMedia: MediaFacts = {
  durationSeconds: 2,
  frameCount: 50,
  frameRate: { numerator: 25, denominator: 1 },
  isVariableRate: false,
  size: { width: 64, height: 48 },
  rotationDegrees: 0,
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  isInterlaced: false,
  audio: [],
  notices: [],
};

export function newJob(jobId: string, { key, clipId, settings, model }: JobCreate): JobView {
  return {
    jobId,
    key,
    clipId,
    settings,
    model,
    state: 'queued',
    priority: 0,
    position: 0,
    createdAt: '2026-11-22T19:20:08Z',
    resumes: 0,
    progress: null,
    report: null,
    result: null,
    error: null,
  };
}

/** An edit of the whole clip; of a preview one keyframe in ten. */
export function reportOf({ settings }: JobView): EditReport {
  const { frameCount, frameRate, size } = clipMedia;
  const frameIndices = settings.preview ? Array.from({ length: frameCount / 10 }, (_, index) => index * 10 + 4) : null;
  return {
    device: 'cpu',
    frames: frameIndices?.length ?? frameCount,
    frameIndices,
    frameRate,
    outputSize: size,
    workingSize: size,
    reconstructionPsnr: null,
    chosen: { guideBy: 'negative', guidance: 7.5, steps: 20, inversionSteps: 20 },
    unetEvaluations: { inversion: 1_000, sampling: 3_000 },
    stageSeconds: { edit: 40 },
    peakMemoryBytes: 1,
    ...(settings.preview ? {} : { written: { timecodeFrames: 90_000, hasAlpha: false } }),
    notices: [],
  };
}

/** A second for each step; a preview in a tenth of it. */
export function estimatesOf({ settings }: EditRequest): Estimates {
  const edit: Estimate = {
    frames: 50,
    unetEvaluations: 4_000,
    seconds: settings.steps ?? 20,
    peakMemoryBytes: 2e9,
    diskBytes: 1,
    fits: true,
    advice: null,
  };
  return { edit, preview: { ...edit, seconds: 0.1 * (settings.steps ?? 20) } };
}
