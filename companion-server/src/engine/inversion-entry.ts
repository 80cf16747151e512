// What is written beside a kept inversion, and read again with distrust: another version, a cut file, a flipped bit.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Size } from '../media/frame.ts';
import type { DecodingDamage } from '../media/frames.ts';

/** What a kept inversion is of; for people. */
export interface InversionFacts {
  readonly clipSha256: string;
  /** Frames of the clip: the first, and the one to stop before. */
  readonly startFrame: number;
  readonly endFrame: number;
  /** In pixels. */
  readonly workingSize: Size;
  /** What was asked for; a calibration may have taken more. */
  readonly inversionSteps: number;
  /** Sampling steps that it serves. */
  readonly steps: number;
  readonly sourcePrompt: string;
  /** Name of the checkpoint's folder. */
  readonly model: string;
}

/** What an inversion has found out about its clip, which an edit that uses it again needs to know. */
export interface SourceAnalysis {
  /** First frames of the scenes but the first, counted among the frames that are edited. */
  readonly cuts: readonly number[];
  /** Forwards of a frame that the whole inversion takes. */
  readonly inversionSteps: number;
  /** In decibels; null where it was not measured. */
  readonly reconstructionPsnr: number | null;
  /** Where its frames were missing or damaged; null where they were not. */
  readonly damage: DecodingDamage | null;
}

export interface InversionEntry {
  readonly facts: InversionFacts;
  readonly analysis: SourceAnalysis;
  /** The first sampling step whose latents are kept. */
  readonly startStep: number;
  /** Of the latents. */
  readonly sizeBytes: number;
  readonly sha256: string;
  /** UTC. */
  readonly createdAt: string;
}

/** Raised when entries of before cannot be read any more. */
const entryVersion = 4;
const entryFile = 'entry.json';
const latentsFile = 'latents';

export function entryPath(folder: string): string {
  return path.join(folder, entryFile);
}

export function latentsPath(folder: string): string {
  return path.join(folder, latentsFile);
}

export function formatEntry(entry: InversionEntry): string {
  return `${JSON.stringify({ version: entryVersion, ...entry }, null, 2)}\n`;
}

/** The entry in `folder`; null when it is missing, damaged or of another version. */
export async function readEntry(folder: string): Promise<InversionEntry | null> {
  try {
    return parseEntry(JSON.parse(await readFile(entryPath(folder), 'utf8')));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error;
    if (error instanceof SyntaxError || isMissing) return null;
    throw error;
  }
}

function parseEntry(json: unknown): InversionEntry | null {
  const { version, facts, analysis, startStep, sizeBytes, sha256, createdAt } = fieldsOf(json);
  const known = parseFacts(fieldsOf(facts));
  const found = parseAnalysis(fieldsOf(analysis));
  const isRight =
    version === entryVersion &&
    known !== null &&
    found !== null &&
    isCount(startStep) &&
    isCount(sizeBytes) &&
    typeof sha256 === 'string' &&
    typeof createdAt === 'string';
  return isRight ? { facts: known, analysis: found, startStep, sizeBytes, sha256, createdAt } : null;
}

function parseFacts(fields: Readonly<Record<string, unknown>>): InversionFacts | null {
  const { clipSha256, startFrame, endFrame, inversionSteps, steps, sourcePrompt, model } = fields;
  const { width, height } = fieldsOf(fields['workingSize']);
  const isRight =
    typeof clipSha256 === 'string' &&
    isCount(startFrame) &&
    isCount(endFrame) &&
    isCount(width) &&
    isCount(height) &&
    isCount(inversionSteps) &&
    isCount(steps) &&
    typeof sourcePrompt === 'string' &&
    typeof model === 'string';
  if (!isRight) return null;
  const workingSize = { width, height };
  return { clipSha256, startFrame, endFrame, workingSize, inversionSteps, steps, sourcePrompt, model };
}

function parseAnalysis(fields: Readonly<Record<string, unknown>>): SourceAnalysis | null {
  const { cuts, inversionSteps, reconstructionPsnr } = fields;
  const damage = parseDamage(fields['damage']);
  const isRight =
    damage !== undefined &&
    Array.isArray(cuts) &&
    cuts.every(isCount) &&
    isCount(inversionSteps) &&
    (reconstructionPsnr === null || typeof reconstructionPsnr === 'number');
  return isRight ? { cuts, inversionSteps, reconstructionPsnr, damage } : null;
}

/** undefined when it is neither null nor right. */
function parseDamage(json: unknown): DecodingDamage | null | undefined {
  if (json === null) return null;
  const { missing, errors } = fieldsOf(json);
  return isCount(missing) && isCount(errors) ? { missing, errors } : undefined;
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
