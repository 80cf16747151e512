// How much room the server's files take, for the panel.

import { join } from 'node:path';
import type { StorageFacts } from '../../../protocol/messages/session-messages.ts';
import { clipsFolder, jobsFolder } from './ids.ts';
import { takenBytesBelow } from '../files/folder-size.ts';
import { freeBytesAt } from '../files/free-space.ts';

/** Of artifacts that are kept in the data folder. Reads every file's size: a request of a person, not of a timer. */
export async function readStorage(dataDir: string, cacheDir: string): Promise<StorageFacts> {
  const [clipsBytes, resultsBytes, cacheBytes, freeBytes] = await Promise.all([
    takenBytesBelow(join(dataDir, clipsFolder)),
    takenBytesBelow(join(dataDir, jobsFolder)),
    takenBytesBelow(cacheDir),
    freeBytesAt(dataDir),
  ]);
  return { clipsBytes, resultsBytes, cacheBytes, freeBytes };
}
