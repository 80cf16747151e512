// The downloads that were begun and are not done, in a file of the models folder, so that a restarted server goes on.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { flag, hex, list, object, parse, type Infer } from '../../../protocol/fields.ts';
import { listLimits } from '../../../protocol/limits.ts';
import { offerId } from '../../../protocol/model-offers.ts';
import { explainingDisk } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';

const fileName = 'downloads.json';

const keptDownload = object({
  id: offerId,
  /** Hash of the licence that was accepted. */
  acceptedLicence: hex(64),
  isPaused: flag,
});
export type KeptDownload = Infer<typeof keptDownload>;

const keptDownloads = list(keptDownload, listLimits.downloads);

/** In the order in which they were begun. `onDamaged` is told what is wrong with a file that cannot be used. */
export function readKeptDownloads(modelsDir: string, onDamaged: (error: unknown) => void): readonly KeptDownload[] {
  const path = join(modelsDir, fileName);
  if (!existsSync(path)) return [];
  try {
    return parse(keptDownloads, JSON.parse(readFileSync(path, 'utf8')), 'downloads');
  } catch (error) {
    // What has been downloaded is still there, and is found when the user begins again.
    onDamaged(error);
    return [];
  }
}

/** Throws EditError 'disk-full', 'output-unwritable'. */
export async function writeKeptDownloads(modelsDir: string, downloads: readonly KeptDownload[]): Promise<void> {
  await explainingDisk(modelsDir, {}, () => mkdir(modelsDir, { recursive: true }));
  await writeWhole(join(modelsDir, fileName), `${JSON.stringify(downloads, null, 2)}\n`);
}
