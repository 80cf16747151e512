// What an edit will take on this machine: the engine counts the work, and the last edit by the same model tells how
// fast the work is done here and how much memory it took.

import { readdir, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { EditReport } from '../../protocol/edit-report.ts';
import type { Estimate } from '../../protocol/estimate.ts';
import type { EditEstimate } from './engine/estimate.ts';

/** What the engine process takes beside the weights: code, activations, latents of a few frames. */
const memoryBesideWeightsBytes = 1.5e9;
/** Checkpoints hold 16 bits per weight, which the CPU computes with as 32. */
const weightsGrowth = 2;
/** An edit that takes longer than this deserves a word, in seconds. */
const longSeconds = 3_600;

export interface Machine {
  readonly memoryBytes: number;
  /** Free on the disk of the data folder. */
  readonly diskBytes: number;
}

export async function readMachine(dataDir: string): Promise<Machine> {
  const { bavail, bsize } = await statfs(dataDir);
  return { memoryBytes: totalmem(), diskBytes: bavail * bsize };
}

/** `past`: the report of the last edit by the same model; null when there was none. `weightsBytes`: on the disk. */
export function toEstimate(
  work: EditEstimate,
  past: EditReport | null,
  weightsBytes: number,
  machine: Machine,
): Estimate {
  const { frames, unetEvaluations, diskBytes } = work;
  const peakMemoryBytes =
    past?.peakMemoryBytes ?? weightsGrowth * weightsBytes + memoryBesideWeightsBytes;
  const seconds = past === null ? null : secondsOf(work, past);
  const problem = problemOf(peakMemoryBytes, diskBytes, machine);
  return {
    frames,
    unetEvaluations: unetEvaluations.inversion + unetEvaluations.sampling,
    seconds,
    peakMemoryBytes,
    diskBytes,
    fits: problem === null,
    advice: problem ?? longAdvice(seconds),
  };
}

/** The work of the UNet grows with the pixels, as does that of the VAE; loading takes as long as before. */
function secondsOf(work: EditEstimate, past: EditReport): number | null {
  const pixels = ({ width, height }: { width: number; height: number }): number => width * height;
  const growth = pixels(work.workingSize) / pixels(past.workingSize);
  const spent = (...stages: readonly string[]): number =>
    stages.reduce((sum, stage) => sum + (past.stageSeconds[stage] ?? 0), 0);
  const count = ({ inversion, sampling }: EditEstimate['unetEvaluations']): number =>
    inversion + sampling;
  const pastCount = count(past.unetEvaluations);
  if (pastCount === 0 || past.frames === 0) return null;
  const perEvaluation = spent('invert', 'edit') / pastCount;
  const perFrame = spent('decode', 'encode') / past.frames;
  const computing = perEvaluation * count(work.unetEvaluations) + perFrame * work.frames;
  return spent('load') + growth * computing;
}

function problemOf(peakMemoryBytes: number, diskBytes: number, machine: Machine): string | null {
  if (peakMemoryBytes > machine.memoryBytes) {
    return `The edit takes about ${gigabytes(peakMemoryBytes)} of memory and the machine has ${gigabytes(machine.memoryBytes)}: choose a smaller model.`;
  }
  if (diskBytes > machine.diskBytes) {
    return `The edit takes ${gigabytes(diskBytes)} on the disk of the data folder, which has ${gigabytes(machine.diskBytes)} free: free some space, choose a shorter part of the clip, a smaller size or fewer steps.`;
  }
  return null;
}

function longAdvice(seconds: number | null): string | null {
  if (seconds === null || seconds <= longSeconds) return null;
  return 'A shorter part of the clip, a smaller size or fewer steps take less time.';
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Bytes of all weights in a checkpoint folder, each file counted once. */
export async function weightsBytesOf(modelDir: string): Promise<number> {
  const names = await readdir(modelDir, { recursive: true });
  const sizes = names
    .filter((name) => name.endsWith('.safetensors'))
    .map(async (name) => (await stat(join(modelDir, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
