// Inverted clips, kept for the next edit of the same clip. An entry is a folder that is prepared elsewhere and appears by
// one rename. It is removed in the same way, so that a killed process leaves a complete entry or none. Where the file
// system can, latents are linked, not copied: an edit that uses an entry keeps it even when it is evicted meanwhile.

import { copyFile, link, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isMissing } from '../../files/disk-error.ts';
import { freeBytesAt } from '../../files/free-space.ts';
import { createOwnedName, isOwnerGone } from '../../files/owned-name.ts';
import { sha256OfFile } from '../../files/sha256.ts';
import { syncFile } from '../../files/sync.ts';
import {
  entryPath,
  formatEntry,
  latentsPath,
  readEntry,
  type InversionEntry,
  type InversionFacts,
  type SourceAnalysis,
} from './inversion-entry.ts';

export interface KeptInversion extends InversionFacts {
  /** 64 hexadecimal digits, from everything that the latents depend on. */
  readonly key: string;
  readonly sizeBytes: number;
  /** UTC, for example `2026-11-22T19:20:08.123Z`. */
  readonly createdAt: string;
  readonly usedAt: string;
}

export interface KeepOptions {
  readonly key: string;
  readonly facts: InversionFacts;
  readonly analysis: SourceAnalysis;
  /** The first sampling step whose latents are in the file. */
  readonly startStep: number;
  /** The latents. Not written to any more. */
  readonly file: string;
  /** Most bytes that all entries may take together; null for what `defaultInversionsBudget` says. */
  readonly budgetBytes: number | null;
}

export interface TakeOptions {
  readonly key: string;
  /** The first sampling step whose latents are needed. */
  readonly startStep: number;
  /** Bytes that the latents take when they begin at sampling step `startStep`. */
  readonly sizeBytes: (startStep: number) => number;
  /** Where to put the latents. */
  readonly file: string;
}

export interface TakenInversion {
  /** The first sampling step that the file serves. */
  readonly startStep: number;
  readonly analysis: SourceAnalysis;
}

const entryName = /^[0-9a-f]{64}$/;
/** Names of folders that are no entries yet, or not any more. */
const asidePrefix = '.aside-';

/** The folder of the cached inversions in the data folder `dataDir`. */
export function inversionsDirIn(dataDir: string): string {
  return path.join(dataDir, 'inversions');
}

/**
 * The default limit, in bytes, of what is kept in `dir`, which must exist: 10 GB, or half of the free space on the disk
 * if that is less.
 */
export async function defaultInversionsBudget(dir: string): Promise<number> {
  const kept = await listInversions(dir);
  const keptBytes = kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return Math.min(10e9, ((await freeBytesAt(dir)) + keptBytes) / 2);
}

/** What is kept in `dir`, the last used first. Empty when there is no such folder. */
export async function listInversions(dir: string): Promise<readonly KeptInversion[]> {
  const kept: KeptInversion[] = [];
  for (const key of (await namesIn(dir)).filter((name) => entryName.test(name))) {
    const folder = path.join(dir, key);
    const entry = await readEntry(folder);
    const used = await stat(entryPath(folder)).catch(ignoreMissing);
    if (entry === null || used === undefined) continue;
    const { facts, sizeBytes, createdAt } = entry;
    kept.push({ key, ...facts, sizeBytes, createdAt, usedAt: used.mtime.toISOString() });
  }
  return kept.sort((a, b) => (a.usedAt < b.usedAt ? 1 : -1));
}

/** Removes all that is kept in `dir`; edits that use it are not disturbed. Returns what that was. */
export async function clearInversions(dir: string): Promise<{ readonly count: number; readonly sizeBytes: number }> {
  const kept = await listInversions(dir);
  for (const name of (await namesIn(dir)).filter((name) => entryName.test(name))) {
    await remove(dir, name);
  }
  await sweep(dir);
  const sizeBytes = kept.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  return { count: kept.length, sizeBytes };
}

/**
 * Puts the latents of the entry `key` to `file`; null when there are none that serve. A damaged entry is removed.
 */
export async function takeInversion(
  dir: string,
  { key, startStep, sizeBytes, file }: TakeOptions,
): Promise<TakenInversion | null> {
  const folder = path.join(dir, key);
  if ((await stat(folder).catch(ignoreMissing)) === undefined) return null;
  const entry = await readEntry(folder);
  if (entry === null) {
    await dropDamaged(dir, key, sizeBytes);
    return null;
  }
  if (entry.startStep > startStep) return null;
  try {
    await rm(file, { force: true });
    await linkOrCopy(latentsPath(folder), file);
    if (entry.sizeBytes === sizeBytes(entry.startStep) && (await isWhole(file, entry))) {
      const now = new Date();
      await utimes(entryPath(folder), now, now).catch(ignoreMissing);
      return { startStep: entry.startStep, analysis: entry.analysis };
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await rm(file, { force: true });
  await dropDamaged(dir, key, sizeBytes);
  return null;
}

/**
 * Whether `takeInversion` would find the entry `key` for an edit that begins at sampling step `startStep`. The latents are
 * not read for it, and may yet turn out to be damaged.
 */
export async function hasInversion(
  dir: string,
  { key, startStep }: Pick<TakeOptions, 'key' | 'startStep'>,
): Promise<boolean> {
  const entry = await readEntry(path.join(dir, key));
  return entry !== null && entry.startStep <= startStep;
}

/** Whether it would put them into `folder` without writing them again. */
export async function canLinkInversion(
  dir: string,
  { key, startStep, folder }: { readonly key: string; readonly startStep: number; readonly folder: string },
): Promise<boolean> {
  if (!(await hasInversion(dir, { key, startStep }))) return false;
  const [kept, wanted] = await Promise.all([stat(dir), stat(folder)]);
  return kept.dev === wanted.dev;
}

/**
 * Keeps the latents in `file`, which stays where it is, and evicts what was not used for longest until all entries are
 * within the budget. Returns false when the latents alone exceed it; then nothing is evicted for them.
 */
export async function keepInversion(dir: string, options: KeepOptions): Promise<boolean> {
  const { key, facts, analysis, startStep, file } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await sweep(dir);
  const known = await readEntry(path.join(dir, key));
  if (known !== null && known.startStep <= startStep) return true;
  const { size: sizeBytes } = await stat(file);
  const budgetBytes = options.budgetBytes ?? (await defaultInversionsBudget(dir));
  if (sizeBytes > budgetBytes) return false;
  await evict(dir, budgetBytes - sizeBytes, key);
  const aside = path.join(dir, `${asidePrefix}${createOwnedName()}`);
  try {
    await mkdir(aside, { mode: 0o700 });
    await linkOrCopy(file, latentsPath(aside));
    const sha256 = await sha256OfFile(latentsPath(aside));
    const entry = {
      facts,
      analysis,
      startStep,
      sizeBytes,
      sha256,
      createdAt: new Date().toISOString(),
    };
    await writeFile(entryPath(aside), formatEntry(entry));
    for (const written of [latentsPath(aside), entryPath(aside)]) await syncFile(written);
    await remove(dir, key);
    // Another edit may have kept the same inversion meanwhile.
    if (await placeEntry(aside, path.join(dir, key))) return true;
  } catch (error) {
    await rm(aside, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
  return true;
}

/** Removes entries, the least recently used first, until the others take at most `budgetBytes`. */
async function evict(dir: string, budgetBytes: number, keptKey: string): Promise<void> {
  const others = (await listInversions(dir)).filter(({ key }) => key !== keptKey);
  let total = 0;
  for (const { key, sizeBytes } of others) {
    total += sizeBytes;
    if (total > budgetBytes) await remove(dir, key);
  }
}

/**
 * Removes an entry that was found to be damaged. Another edit may move or replace it at any moment: so it is moved away
 * first, looked at where nobody else does, and comes back if nothing is wrong with it.
 */
async function dropDamaged(dir: string, key: string, sizeBytes: TakeOptions['sizeBytes']): Promise<void> {
  const aside = await moveAside(dir, key);
  if (aside === null) return;
  const entry = await readEntry(aside);
  const isSound =
    entry !== null &&
    entry.sizeBytes === sizeBytes(entry.startStep) &&
    (await isWhole(latentsPath(aside), entry).catch(ignoreMissing)) === true;
  if (isSound && (await placeEntry(aside, path.join(dir, key)))) return;
  await rm(aside, { recursive: true, force: true, maxRetries: 3 });
}

/** After the rename the entry is gone, even if removing its files fails. */
async function remove(dir: string, key: string): Promise<void> {
  const aside = await moveAside(dir, key);
  if (aside !== null) await rm(aside, { recursive: true, force: true, maxRetries: 3 });
}

/** Where the entry is then; null if there was none. */
async function moveAside(dir: string, key: string): Promise<string | null> {
  const aside = path.join(dir, `${asidePrefix}${createOwnedName()}`);
  try {
    await rename(path.join(dir, key), aside);
    return aside;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** False if there is another entry already. */
async function placeEntry(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && isOccupied(error.code)) return false;
    throw error;
  }
}

/** Removes what killed processes have left half made or half removed. */
async function sweep(dir: string): Promise<void> {
  const left = (await namesIn(dir)).filter((name) => name.startsWith(asidePrefix));
  for (const name of left.filter(isOwnerGone)) {
    await rm(path.join(dir, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (isMissing(error)) throw error;
    await copyFile(from, to);
  }
}

async function isWhole(file: string, { sizeBytes, sha256 }: InversionEntry): Promise<boolean> {
  return (await stat(file)).size === sizeBytes && (await sha256OfFile(file)) === sha256;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  return (await readdir(dir).catch(ignoreMissing)) ?? [];
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function isOccupied(code: unknown): boolean {
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM';
}
