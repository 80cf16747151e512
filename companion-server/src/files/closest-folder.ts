import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folder itself, or the first of the folders around it that is there. */
export function closestFolder(folder: string): string {
  if (existsSync(folder) || dirname(folder) === folder) return folder;
  return closestFolder(dirname(folder));
}
