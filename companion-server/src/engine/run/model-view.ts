// What the model is shown of a clip, and how its answer gets back into the codes of the clip.

import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { RgbPlanes } from '../../media/rgb-planes.ts';
import { toClipCode, toneMapped } from '../../media/tone-mapping.ts';

/** The clip as the settings want it to be shown. */
export function shownToModel(clip: ClipInfo, { modelColour }: Pick<EditSettings, 'modelColour'>): ClipInfo {
  return modelColour === 'off' ? clip : toneMapped(clip);
}

/**
 * A picture that the model has made of the clip, in the codes of the clip. A change is fitted between two such pictures: a
 * linear change of shown colours is none of codes, but equal pictures stay equal, so that what the edit leaves is left.
 */
export function inClipCode(picture: RgbPlanes, { toneMapping }: Pick<ClipInfo, 'toneMapping'>): RgbPlanes {
  return toneMapping === undefined ? picture : toClipCode(picture, toneMapping);
}
