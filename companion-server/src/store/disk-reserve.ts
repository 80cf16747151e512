// Reserved disk space: a file without content of its own. When the disk is full a piece of it is released, so that
// changes that free space or end work can still be written.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Bytes of the whole reserve: some sixty changes of jobs and clips. */
const wholeBytes = 4 * 1024 * 1024;
/** Bytes of a piece: more than one change adds to the database's log. */
const pieceBytes = 64 * 1024;
/** The reserve is filled when the disk has so many times its size. */
const plenty = 4;

export interface Reserve {
  /** Gives a piece back to the disk. Returns false when there is nothing left. */
  giveUp(): boolean;
  /** Makes the reserve whole where the disk has plenty. Never throws: without it the server works as well. */
  refill(): void;
}

/** No reserve at all. */
export const noReserve: Reserve = { giveUp: () => false, refill: () => undefined };

/** The reserve in the file at `path`, whose folder must exist; nothing is written before `refill`. */
export function createReserve(path: string): Reserve {
  return {
    giveUp() {
      const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (sizeBytes === 0) return false;
      truncateSync(path, Math.max(0, sizeBytes - pieceBytes));
      return true;
    },
    refill() {
      try {
        const { bavail, bsize } = statfsSync(dirname(path));
        if (bavail * bsize >= plenty * wholeBytes) fill(path);
      } catch {
        // The disk is full again, or refuses files: the reserve is smaller then.
      }
    },
  };
}

function fill(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    const missingBytes = wholeBytes - fstatSync(file).size;
    // Random, so that a disk which packs its files keeps all of it free.
    if (missingBytes > 0) writeSync(file, randomBytes(missingBytes));
    else ftruncateSync(file, wholeBytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
