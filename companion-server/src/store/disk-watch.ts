// Whether the disks of the server's folders have room left, so that everybody hears of it when one has not.

import { statfs } from 'node:fs/promises';
import { storeFolders, type DiskShortage, type StoreFolder } from '../../../protocol/messages/session-messages.ts';

export interface DiskWatch {
  /** Of the last look; empty when all is well. */
  shortages(): readonly DiskShortage[];
  /** Calls `listener` when a disk has become full, or has room again. Returns what ends that. */
  subscribe(listener: (shortages: readonly DiskShortage[]) => void): () => void;
  /** Looks at once, beside the looks that are made from time to time. Never rejects. */
  look(): Promise<void>;
  close(): void;
}

export interface DiskWatchOptions {
  /** Absolute paths. */
  readonly folders: Readonly<Record<StoreFolder, string>>;
  /** A disk with fewer is nearly full. Default: 32 MiB. */
  readonly leastFreeBytes?: number;
  /** Default: 5 seconds. */
  readonly intervalMs?: number;
  /** Called at every look at which all is well. */
  readonly onRoom?: () => void;
}

export function createDiskWatch({
  folders,
  leastFreeBytes = 32 * 1024 * 1024,
  intervalMs = 5_000,
  onRoom = () => undefined,
}: DiskWatchOptions): DiskWatch {
  const listeners = new Set<(shortages: readonly DiskShortage[]) => void>();
  let shortages: readonly DiskShortage[] = [];
  const namesOf = (list: readonly DiskShortage[]): string => list.map(({ folder }) => folder).join();

  async function look(): Promise<void> {
    const found: DiskShortage[] = [];
    for (const folder of storeFolders) {
      const freeBytes = await freeBytesOf(folders[folder]);
      if (freeBytes !== null && freeBytes < leastFreeBytes) {
        found.push({ folder, freeBytes, missingBytes: leastFreeBytes - freeBytes });
      }
    }
    const isNews = namesOf(found) !== namesOf(shortages);
    shortages = found;
    if (isNews) for (const listener of [...listeners]) listener(found);
    if (found.length === 0) onRoom();
  }

  const timer = setInterval(() => void look(), intervalMs).unref();

  return {
    look,
    shortages: () => shortages,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => clearInterval(timer),
  };
}

/** Null where the folder is not there yet, or its disk does not say. */
async function freeBytesOf(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  return found === null || found.blocks === 0 ? null : found.bavail * found.bsize;
}
