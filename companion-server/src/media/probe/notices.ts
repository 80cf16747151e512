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
    [clip.bitDepth > 8, `The clip has ${clip.bitDepth} bits per channel; the edit works with 8.`],
    [
      clip.colour.transfer === 'smpte2084' || clip.colour.transfer === 'arib-std-b67',
      'The clip is HDR; its colour tags are kept, but the model sees it as if it were SDR.',
    ],
    [clip.interlaced, 'The clip is interlaced; it was made progressive.'],
    [clip.rotationDegrees !== 0, `The clip is stored turned; the result is stored upright, ${width} x ${height}.`],
    [leftOut.videoTracks > 1, `The clip has ${leftOut.videoTracks} video tracks; the first one is edited.`],
    [leftOut.hasAlpha, "The clip's transparency is lost; the result is opaque."],
    [leftOut.hasSubtitles, "The clip's subtitles are not in the result."],
    [
      leftOut.hasHdrMetadata,
      "The clip's HDR metadata (the display that it was made for, its brightest light) are not in the result.",
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
