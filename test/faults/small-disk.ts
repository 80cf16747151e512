// A disk of a few megabytes of its own, where the system lets a test have one: Linux, as root.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Whether `mountSmallDisk` works here. A container may refuse it to root as well. */
export const canMountDisk = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    unmount(mount(1));
    return true;
  } catch {
    return false;
  }
})();

/** The folder of a disk that goes when the test has finished. */
export function mountSmallDisk(megabytes: number): string {
  const folder = mount(megabytes);
  onTestFinished(() => unmount(folder));
  return folder;
}

/** Fills the disk of `folder` to its last byte. Whatever is freed later can be filled again. */
export function fillDisk(folder: string): void {
  const file = openSync(join(folder, 'ballast'), 'a');
  try {
    for (let size = 1024 * 1024; size >= 1;) {
      try {
        if (writeSync(file, Buffer.alloc(size)) < size) throw new Error('The disk took a part.');
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
  const { bavail } = statfsSync(folder);
  if (bavail > 0) throw new Error(`${bavail} blocks are free still.`);
}

function mount(megabytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenflow-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
    stdio: 'ignore',
  });
  return folder;
}

function unmount(folder: string): void {
  // What still has a file open on it lets go of it later.
  execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' });
  rmdirSync(folder);
}
