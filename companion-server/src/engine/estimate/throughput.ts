// How fast this machine works, as earlier edits and previews have found, kept in the cache folder. Where none was made yet,
// a short trial on the device is the first guess.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../files/write-whole.ts';
import type { EditStage } from '../../../../protocol/progress.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { DenoisingNetwork, LatentSize } from '../../nets/denoising-network.ts';
import { cacheAdvice } from '../source-cache/cache-advice.ts';

export type PlannedStage = Exclude<EditStage, 'load'>;
export const plannedStages = ['decode', 'invert', 'edit', 'encode'] as const satisfies readonly PlannedStage[];

/** How a stage goes. */
export interface StageThroughput {
  /** Seconds of a billion multiply-adds. */
  readonly secondsPerBillion: number;
  /** Seconds that occur once, for any amount of work: to open sessions, to start programs. */
  readonly onceSeconds: number;
}

export interface Throughput {
  readonly stages: Readonly<Record<PlannedStage, StageThroughput>>;
  readonly loadSeconds: number;
  /** From edits of this kind of network at about this size; else a guess. */
  readonly isMeasured: boolean;
}

/** A stage's throughput, and on how much work it was found. */
export interface MeasuredStageThroughput extends StageThroughput {
  /** Billions of multiply-adds. */
  readonly work: number;
}

/** What one edit has found: the stages that it went through. */
export interface MeasuredThroughput {
  readonly stages: Partial<Record<PlannedStage, MeasuredStageThroughput>>;
  readonly loadSeconds: number;
}

/** What a throughput depends on. */
export interface ThroughputKind {
  readonly execution: Pick<Execution, 'provider' | 'float' | 'fused'>;
  readonly unet: Pick<DenoisingNetwork, 'form'>;
  readonly latentSize: LatentSize;
}

/** Raised when what earlier versions wrote means something else. */
const fileVersion = 2;
const fileName = 'throughput.json';

interface Entry extends MeasuredThroughput {
  /** Of the execution and the network. */
  readonly form: string;
  /** Latent positions of a frame, as a power of two. */
  readonly scale: number;
}

/** `probe` gives seconds per billion multiply-adds; it is called only if there is no measurement of the form. */
export async function recallThroughput(
  cacheDir: string,
  kind: ThroughputKind,
  probe: () => Promise<number>,
): Promise<Throughput> {
  const [form, scale] = [formOf(kind), scaleOf(kind)];
  const known = (await readEntries(cacheDir)).filter((entry) => entry.form === form);
  const [nearest] = known.sort((a, b) => Math.abs(a.scale - scale) - Math.abs(b.scale - scale));
  if (nearest === undefined) {
    const guess = { secondsPerBillion: await probe(), onceSeconds: 0 };
    return { stages: complete({}, guess), loadSeconds: 0, isMeasured: false };
  }
  const [any] = Object.values(nearest.stages);
  const { stages, loadSeconds } = nearest;
  if (any === undefined) throw new TypeError('A throughput without stages was kept.');
  return { stages: complete(stages, any), loadSeconds, isMeasured: nearest.scale === scale };
}

/** Mixes what an edit has found into what earlier ones have. Where it cannot be kept it is left. */
export async function persistThroughput(
  cacheDir: string,
  kind: ThroughputKind,
  found: MeasuredThroughput,
): Promise<void> {
  if (Object.keys(found.stages).length === 0) return;
  const [form, scale] = [formOf(kind), scaleOf(kind)];
  try {
    const entries = await readEntries(cacheDir);
    const isSame = (entry: Entry) => entry.form === form && entry.scale === scale;
    const before = entries.find(isSame);
    const entry = { form, scale, ...(before === undefined ? found : mix(before, found)) };
    const others = entries.filter((other) => !isSame(other));
    await mkdir(cacheDir, { recursive: true });
    await writeWhole(
      path.join(cacheDir, fileName),
      JSON.stringify({ version: fileVersion, entries: [...others, entry] }),
      cacheAdvice,
    );
  } catch (error) {
    // The next estimate is a worse guess; the edit is done.
    process.stderr.write(`The throughput was not kept: ${error instanceof Error ? error.message : String(error)}.\n`);
  }
}

function mix(before: MeasuredThroughput, found: MeasuredThroughput): MeasuredThroughput {
  const stages = { ...before.stages };
  for (const stage of plannedStages) {
    const [old, fresh] = [before.stages[stage], found.stages[stage]];
    if (fresh !== undefined) stages[stage] = old === undefined ? fresh : mixStage(old, fresh);
  }
  return { stages, loadSeconds: (before.loadSeconds + found.loadSeconds) / 2 };
}

/**
 * The weight of an edit is its work, halved with each edit after it: a preview of four frames says little about a long
 * clip.
 */
function mixStage(old: MeasuredStageThroughput, fresh: MeasuredStageThroughput): MeasuredStageThroughput {
  const oldWork = old.work / 2;
  const work = oldWork + fresh.work;
  return {
    secondsPerBillion: (oldWork * old.secondsPerBillion + fresh.work * fresh.secondsPerBillion) / work,
    onceSeconds: (old.onceSeconds + fresh.onceSeconds) / 2,
    work,
  };
}

function complete(stages: MeasuredThroughput['stages'], other: StageThroughput): Throughput['stages'] {
  const { decode = other, invert = other, edit = other, encode = other } = stages;
  return { decode, invert, edit, encode };
}

function formOf({ execution, unet }: ThroughputKind): string {
  const { provider, float, fused } = execution;
  const form = fused.multiHeadAttention ? 'fused' : 'plain';
  return [provider, float, form, unet.form].join(' ');
}

function scaleOf({ latentSize: { width, height } }: ThroughputKind): number {
  return Math.round(Math.log2(width * height));
}

/** A file that is missing, damaged or of another version counts as empty. */
async function readEntries(cacheDir: string): Promise<Entry[]> {
  try {
    const json = JSON.parse(await readFile(path.join(cacheDir, fileName), 'utf8')) as unknown;
    return isKept(json) ? json.entries.filter(isWhole) : [];
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error;
    if (error instanceof SyntaxError || isMissing) return [];
    throw error;
  }
}

function isKept(json: unknown): json is { readonly entries: Entry[] } {
  if (typeof json !== 'object' || json === null) return false;
  const { version, entries } = json as Record<string, unknown>;
  return version === fileVersion && Array.isArray(entries);
}

function isWhole(entry: Partial<Entry> | null): boolean {
  if (entry === null || typeof entry !== 'object') return false;
  const stages = Object.values(entry.stages ?? {});
  const isAmount = (value: number | undefined) => value !== undefined && Number.isFinite(value) && value >= 0;
  return (
    stages.length > 0 &&
    isAmount(entry.loadSeconds) &&
    stages.every((stage) => isAmount(stage.secondsPerBillion) && isAmount(stage.onceSeconds) && isAmount(stage.work))
  );
}
