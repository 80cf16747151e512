// What a result does not keep of its clip, in sentences for the user. Pure.

import { codecInfo, type OutputCodec } from '../../../../protocol/codecs.ts';
import { planeFormatOf } from '../../media/planes.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { timecodeAfter } from '../../media/timecode.ts';

/** `keepsPlanes`: the clip's own samples go into the result (see `keepsDetail`). */
export function outputNotices(
  clip: Pick<ClipInfo, 'bitDepth' | 'frameRate' | 'hasAlpha' | 'hdr' | 'origin' | 'pixelFormat' | 'toneMapping'>,
  codec: OutputCodec,
  keepsPlanes: boolean,
): readonly string[] {
  const { title, bits, hasAlpha } = codecInfo(codec);
  const { timecode } = clip.origin;
  const isDecoded = planeFormatOf(clip.pixelFormat, clip.bitDepth).hasAlpha;
  const notices: [boolean, string][] = [
    [clip.bitDepth > bits, `${title} keeps ${bits} of the clip's ${clip.bitDepth} bits per channel.`],
    [clip.hasAlpha && !hasAlpha, `${title} has no transparency, the clip's is lost. ProRes 4444 keeps it.`],
    [clip.hasAlpha && hasAlpha && !isDecoded, "The clip's transparency is a layer of its own, and is lost."],
    [
      clip.hasAlpha && hasAlpha && isDecoded && !keepsPlanes,
      "The clip's transparency is lost, because the result was scaled up without the clip's detail.",
    ],
    [
      clip.hdr !== null && codec !== 'h265',
      `${title} does not carry the clip's HDR metadata (the display that it was made for, its brightest light). H.265 does.`,
    ],
    [
      clip.toneMapping !== undefined,
      "The model was shown the clip's high dynamic range tone-mapped; its change was carried back into the clip's own codes.",
    ],
    [
      timecode !== null && timecodeAfter(timecode, 0, clip.frameRate) === null,
      `The clip's timecode ${timecode ?? ''} is none of its frame rate, and is not in the result.`,
    ],
  ];
  return notices.filter(([applies]) => applies).map(([, sentence]) => sentence);
}
