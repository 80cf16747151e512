// Whether an edit can fit into this machine's memory and onto its disk, and what would fit instead: asked before the
// first of its hours.

import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { takenBytes } from '../../files/folder-size.ts';
import { freeBytesAt } from '../../files/free-space.ts';
import type { Size } from '../../media/frame.ts';
import { EditError } from '../../errors.ts';

/** What an edit takes at most. */
export interface Need {
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly frames: number;
}

export interface Resources {
  /** All that there is, for the system and other programs as well; null when it is not known, as a GPU's is not. */
  readonly memoryBytes: number | null;
  /** Free, and what this edit has taken already. */
  readonly diskBytes: number;
}

export interface Refusal {
  readonly code: 'out-of-memory' | 'disk-full';
  /** What is needed and what there is. */
  readonly message: string;
  /** What would fit. */
  readonly hint: string;
}

/** Share of the memory that an edit may plan with: something else runs as well. */
const usableMemory = 0.9;
/** Share of the free disk: the result and copies of weights need some too. */
const usableDisk = 0.95;

/** The resources for an edit with this work folder, which need not be there yet. */
export async function readResources(workDir: string, isOnCpu: boolean): Promise<Resources> {
  const freeBytes = await freeBytesAt(await nearestFolder(workDir));
  return {
    memoryBytes: isOnCpu ? systemMemoryBytes() : null,
    diskBytes: freeBytes + (await takenBytes(workDir)),
  };
}

/**
 * Why the edit cannot be done here, or null. `needAt` says what it takes when its longer side is scaled by a factor below
 * 1, or null where that is too small to work with.
 */
export function findRefusal(
  need: Need,
  resources: Resources,
  needAt: (factor: number) => { readonly memoryBytes: number; readonly size: Size } | null,
): Refusal | null {
  const usable = resources.memoryBytes === null ? Infinity : usableMemory * resources.memoryBytes;
  if (need.memoryBytes > usable) {
    return {
      code: 'out-of-memory',
      message: `The edit takes about ${gigabytes(need.memoryBytes)} of memory, and this machine has ${gigabytes(resources.memoryBytes ?? 0)}.`,
      hint: smallerSize(usable, needAt),
    };
  }
  const freeBytes = usableDisk * resources.diskBytes;
  if (need.diskBytes <= freeBytes) return null;
  const frames = Math.floor((need.frames * freeBytes) / need.diskBytes);
  const instead = frames > 0 ? `, or edit at most ${frames} frames at a time` : '';
  return {
    code: 'disk-full',
    message: `The edit takes ${gigabytes(need.diskBytes)} of disk while it runs, and ${gigabytes(resources.diskBytes)} are free.`,
    hint: `Free ${gigabytes(need.diskBytes - freeBytes)}${instead}; a smaller size and fewer steps take less too.`,
  };
}

/** Throws the refusal as EditError. */
export function requireResources(refusal: Refusal | null): void {
  if (refusal === null) return;
  throw new EditError(refusal.code, refusal.message, { hint: refusal.hint });
}

function smallerSize(
  usableBytes: number,
  needAt: (factor: number) => { readonly memoryBytes: number; readonly size: Size } | null,
): string {
  for (let factor = 0.875; ; factor *= 0.875) {
    const need = needAt(factor);
    if (need === null) return 'Choose a smaller model, or a machine with more memory.';
    if (need.memoryBytes > usableBytes) continue;
    return `Choose a working size of ${need.size.width} x ${need.size.height} or less.`;
  }
}

/** Of this process, where a container has less than the machine. */
function systemMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < os.totalmem() ? limit : os.totalmem();
}

/** `folder`, or where it is not there yet the one above it that is. */
export async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  const parent = path.dirname(folder);
  return found?.isDirectory() === true || parent === folder ? folder : nearestFolder(parent);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
}
