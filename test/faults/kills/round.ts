// One round: a real edit over the real socket, one kill at a chosen moment, and what became of the edit.

import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../../../protocol/client/client.ts';
import { downloadResult, uploadClip } from '../../../companion-server/src/client/transfer.ts';
import { watchJob } from '../../../protocol/client/watch-job.ts';
import type { ResumePoint } from '../../../companion-server/src/engine/run/resume-point.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { JobView } from '../../../protocol/job.ts';
import { createSigns, signOf, type Moment, type Signs } from './moment.ts';
import { findEngine, gone, type LoggedStep, type ServerProcess } from './server-process.ts';

export type Target = 'server' | 'engine';

export interface RoundPlace {
  readonly folder: string;
  readonly clipPath: string;
  readonly settings: EditSettings;
  readonly steady: Client;
  /** The server that runs now. */
  readonly server: () => ServerProcess;
  /** Starts another one in the place of one that was killed. */
  readonly restart: () => Promise<void>;
}

export interface RoundResult {
  /** What was killed; null when the round had ended before. */
  readonly killed: Target | null;
  readonly seconds: number;
  /** SHA-256 of the result as it was downloaded; null when there is none. */
  readonly sha256: string | null;
  /** What is wrong with the job; empty when nothing is. */
  readonly faults: readonly string[];
  /** Finished steps that were computed again, and one for a step that was cut short. */
  readonly stepsRepeated: number;
}

/** Runs one edit, and kills `target` at `moment`, if they are given. */
export async function runRound(
  place: RoundPlace,
  kill?: { readonly target: Target; readonly moment: Moment },
): Promise<RoundResult> {
  const beganAt = performance.now();
  const signs = createSigns();
  const stepsBefore = place.server().steps.length;
  const killing = kill === undefined ? Promise.resolve(null) : killAt(place, kill, signs);
  const edit = await runEdit(place, signs);
  signs.end();
  const killed = await killing;
  const logged = place.server().steps.slice(killed?.target === 'server' ? 0 : stepsBefore);
  const faults = [...edit.faults, ...(await removeTraces(place, edit.jobId, edit.clipId))];
  return {
    killed: killed?.target ?? null,
    seconds: (performance.now() - beganAt) / 1_000,
    sha256: edit.sha256,
    faults,
    stepsRepeated: killed === null ? 0 : countRepeated(killed, logged, place.settings),
  };
}

interface Edit {
  readonly jobId: string;
  readonly clipId: string;
  readonly sha256: string | null;
  readonly faults: readonly string[];
}

async function runEdit(place: RoundPlace, signs: Signs): Promise<Edit> {
  const { steady, clipPath, settings, folder } = place;
  signs.give('begin');
  const { clipId } = await uploadClip(steady, clipPath, { onProgress: () => signs.give('upload') });
  const key = randomUUID();
  const wish = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
  const { job } = await steady.request({ type: 'job-create', key, ...wish });
  const { jobId } = job;
  const over = await watchJob(steady, jobId, {
    onProgress(progress) {
      const sign = signOf({ phase: 'edit', progress });
      if (sign !== null) signs.give(sign);
    },
  });
  const faults = faultsOf(over);
  if (over.result === null) return { jobId, clipId, sha256: null, faults };
  const file = await open(join(folder, 'downloaded'), 'w');
  try {
    await downloadResult(steady, jobId, file, { onProgress: () => signs.give('download') });
  } finally {
    await file.close();
  }
  return { jobId, clipId, sha256: over.result.sha256, faults };
}

function faultsOf({ state, error, resumes }: JobView): string[] {
  if (state !== 'done') return [`the job is ${state}: ${error?.message ?? 'no reason'}`];
  return resumes > 1 ? [`the job began ${resumes + 1} times after one kill`] : [];
}

/** Deletes job and clip; what is left of them then, or of other jobs, is a fault. */
async function removeTraces({ steady, folder }: RoundPlace, jobId: string, clipId: string): Promise<string[]> {
  const { jobs } = await steady.request({ type: 'job-list', afterJobId: null });
  await steady.request({ type: 'job-delete', jobId });
  await steady.request({ type: 'clip-delete', clipId });
  const left = await readdir(join(folder, 'data', 'jobs'));
  // The next round must invert its clip itself.
  await rm(join(folder, 'data', 'inversions'), { recursive: true, force: true });
  return [
    ...(jobs.length === 1 ? [] : [`${jobs.length} jobs are listed instead of 1`]),
    ...left.map((name) => `jobs/${name} is left`),
  ];
}

interface Killed {
  readonly target: Target;
  /** How far the edit had come on the disk; null when there was no resume point. */
  readonly resumePoint: ResumePoint | null;
  /** How many steps the server had told of by then. */
  readonly toldSteps: number;
}

/** Null when the edit was over before there was something to kill. */
async function killAt(
  place: RoundPlace,
  { target, moment }: { readonly target: Target; readonly moment: Moment },
  signs: Signs,
): Promise<Killed | null> {
  if (!(await signs.reached(moment))) return null;
  const server = place.server();
  const enginePid = await findEngine(server.pid);
  if (target === 'engine') {
    if (enginePid === undefined) return null;
    process.kill(-enginePid, 'SIGKILL');
    await gone(enginePid);
    return { target, resumePoint: await readResumePoint(place), toldSteps: server.steps.length };
  }
  await server.kill();
  // The engine notices by itself that its server has gone.
  await gone(enginePid);
  const resumePoint = await readResumePoint(place);
  await place.restart();
  return { target, resumePoint, toldSteps: 0 };
}

async function readResumePoint({ folder }: RoundPlace): Promise<ResumePoint | null> {
  const jobsDir = join(folder, 'data', 'jobs');
  for (const jobId of await readdir(jobsDir).catch(() => [])) {
    const file = join(jobsDir, jobId, 'work', 'resume-point.json');
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { readonly resumePoint: ResumePoint }).resumePoint;
  }
  return null;
}

/** `logged`: the steps of this round; of a server that was killed, those of the one after it. */
function countRepeated(
  { target, resumePoint }: Killed,
  logged: readonly LoggedStep[],
  { steps, inversionSteps }: EditSettings,
): number {
  const inversion = inversionSteps ?? steps ?? 0;
  const all = inversion + (steps ?? 0);
  const positionOf = ({ stage, step }: LoggedStep): number => (stage === 'edit' ? inversion + step : step);
  // Step 0 says that a stage has begun; nothing is computed for it.
  const finished = logged.filter(({ step }) => step > 0).map(positionOf);
  const reached = resumePoint === null ? 0 : positionOf(resumePoint);
  const again =
    target === 'engine'
      ? finished.length - new Set(finished).size
      : finished.filter((position) => position <= reached).length;
  return again + (resumePoint !== null && reached < all ? 1 : 0);
}
