// What the model is shown of a clip, and how its answer gets back into the codes of the clip.

import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import type { ClipInfo, ClipTable } from '../../media/probe/clip-info.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { readLookupTable } from '../../media/read-lookup-table.ts';
import type { RgbPlanes } from '../../media/rgb-planes.ts';
import { toClipCode, toneMapped } from '../../media/tone-mapping.ts';
import type { EditJob } from './edit-job.ts';

/** The clip of the job as its settings want it to be shown. Throws what reading the clip and the lookup table throw. */
export async function clipOfJob(
  job: Pick<EditJob, 'clip' | 'inputPath' | 'lookupTablePath' | 'settings'>,
  signal: AbortSignal | undefined,
): Promise<ClipInfo> {
  const clip = job.clip ?? (await probeClip(job.inputPath, signal));
  const { lookupTable } = job.settings;
  if (lookupTable === undefined) return shownToModel(clip, job.settings);
  if (job.lookupTablePath == null) throw new TypeError('The job names a lookup table and no file of it.');
  return shownToModel(clip, job.settings, await readLookupTable(job.lookupTablePath, lookupTable.sha256, signal));
}

/** The clip as the settings want it to be shown; `table` is the lookup table that they name. */
export function shownToModel(
  clip: ClipInfo,
  { modelColour }: Pick<EditSettings, 'modelColour'>,
  table: ClipTable | null = null,
): ClipInfo {
  return modelColour === 'off' ? clip : toneMapped(clip, table);
}

/**
 * A picture that the model has made of the clip, in the codes of the clip. A change is fitted between two such pictures: a
 * linear change of shown colours is none of codes, but equal pictures stay equal, so that what the edit leaves is left.
 */
export function inClipCode(picture: RgbPlanes, { toneMapping }: Pick<ClipInfo, 'toneMapping'>): RgbPlanes {
  return toneMapping === undefined ? picture : toClipCode(picture, toneMapping);
}
