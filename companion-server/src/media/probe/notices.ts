// What the user should know about a clip before it is edited, in sentences.

import type { ClipInfo } from './clip-info.ts';
import { rationalValue } from '../frame.ts';
import type { DecodingDamage } from '../decode/frames.ts';
import type { LeftOut } from './probe-document.ts';

/** Nothing for an ordinary clip. */
export function noticesOf(clip: Omit<ClipInfo, 'notices'>, leftOut: LeftOut): string[] {
  const rate = rationalValue(clip.frameRate)
    .toFixed(3)
    .replace(/\.?0+$/, '');
  const { width, height } = clip.frameSize;
  const notices: [boolean, string][] = [
    [clip.variableRate, `The clip's frame rate varies; it was read at a constant ${rate} frames per second.`],
    [
      clip.colour.transfer === 'smpte2084' || clip.colour.transfer === 'arib-std-b67',
      'The clip is HDR; its colour tags are kept, and the model is shown it in standard range.',
    ],
    [clip.interlaced, 'The clip is interlaced, the result is not: each frame is made of the field that comes first.'],
    [clip.rotationDegrees !== 0, `The clip is stored turned; the result is stored upright, ${width} x ${height}.`],
    [leftOut.videoTracks > 1, `The clip has ${leftOut.videoTracks} video tracks; the first one is edited.`],
    [leftOut.hasSubtitles, "The clip's subtitles are not in the result."],
    [leftOut.hasChapters, "The clip's chapters are not in the result."],
    [
      leftOut.hasDynamicHdr,
      "The clip's description of each scene (Dolby Vision or HDR10+) is not in the result; its base layer is.",
    ],
  ];
  return notices.filter(([applies]) => applies).map(([, sentence]) => sentence);
}

/** How the frames of a damaged clip were handled. */
export function damageNotice({ missing, errors }: DecodingDamage): string {
  const parts = [
    ...(missing > 0 ? [`${missing} of its frames cannot be decoded and show the picture before them`] : []),
    ...(errors > 0 ? [`FFmpeg met ${errors} errors while it decoded the others`] : []),
  ];
  return `The clip is damaged: ${parts.join('; ')}.`;
}
