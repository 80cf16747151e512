// Folders of a program by their names below its root.

import { stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import type { FolderRole, PlaceFolder } from '../found.ts';

/** Folders of a program: the path below its root, with forward slashes, and what is kept there. */
export type Layout = readonly (readonly [below: string, role: FolderRole])[];

export function foldersIn(root: string, source: PlaceFolder['source'], layout: Layout): readonly PlaceFolder[] {
  return layout.map(([below, role]) => ({ source, dir: join(root, ...below.split('/')), label: below, role }));
}

/** What a folder is called for users: below `root` where it is there, else by its own name. */
export function labelOf(dir: string, root: string): string {
  const below = relative(root, dir);
  const isInside = below !== '' && !below.startsWith('..') && !isAbsolute(below);
  return (isInside ? below : basename(dir)).replaceAll('\\', '/');
}

export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

export async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
