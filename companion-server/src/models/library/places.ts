// The table of places: which programs' models are found, in the order of the list. A file that two of them have is listed
// at the first. A new place is a file in places/ and a line here.

import { basename } from 'node:path';
import type { Complain, Machine, PlaceFolder, PlaceKind } from './found.ts';
import { automatic1111 } from './places/automatic1111.ts';
import { comfyui } from './places/comfyui.ts';
import { diffusionBee } from './places/diffusionbee.ts';
import { drawThings } from './places/draw-things.ts';
import { hubCache } from './places/hub-cache.ts';
import { invokeai } from './places/invokeai.ts';

export const placeKinds: readonly PlaceKind[] = [hubCache, comfyui, automatic1111, invokeai, diffusionBee, drawThings];

/** What is listed together, under one limit of files and time. */
export interface Place {
  readonly title: string;
  readonly folders: readonly PlaceFolder[];
}

/** The places of this machine that are there: the usual ones, then the folders that the user has added. */
export async function findPlaces(
  machine: Machine,
  addedFolders: readonly string[],
  complain: Complain,
): Promise<readonly Place[]> {
  const places: Place[] = [];
  for (const kind of placeKinds) {
    for (const root of kind.usualRoots(machine)) {
      const folders = await kind.foldersOf(root, machine, complain);
      if (folders !== null) places.push({ title: kind.title, folders });
    }
  }
  for (const root of addedFolders) places.push(await placeOf(root, machine, complain));
  return places;
}

/** A folder that the user named: one of a program that is known here, else any folder of files. */
export async function placeOf(root: string, machine: Machine, complain: Complain): Promise<Place> {
  for (const kind of placeKinds) {
    const folders = await kind.foldersOf(root, machine, complain);
    if (folders !== null) return { title: kind.title, folders };
  }
  const label = basename(root);
  return { title: label, folders: [{ source: 'folder', dir: root, label, role: 'any' }] };
}
