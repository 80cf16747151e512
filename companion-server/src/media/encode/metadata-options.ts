// The arguments with which ffmpeg writes what a file says of itself besides its picture. Pure.

import type { HdrMetadata } from '../probe/hdr-metadata.ts';
import type { Container } from './audio.ts';
import type { EncoderOptions } from './encoder-options.ts';
import { digitalSourceType, xmpPacket } from './provenance.ts';

/**
 * Timecode and reel, date, title and location, and the mark of AI where the container has a place that ffmpeg writes. The
 * prompt is not among them: every user of a machine sees the arguments of its programs.
 */
export function metadataOptions({ origin, provenance }: EncoderOptions, container: Container): string[] {
  const { timecode = null, reel = null, createdAt = null, title = null, location = null } = origin ?? {};
  const isMatroska = container === 'matroska';
  const mark = provenance ?? null;
  const texts: [string, string | null][] = [
    ['creation_time', createdAt],
    ['title', title],
    ['location', location],
    ['timecode', isMatroska ? timecode : null],
    ['DIGITAL_SOURCE_TYPE', isMatroska && mark !== null ? digitalSourceType : null],
    ['SOFTWARE', isMatroska && mark !== null ? `${mark.tool}, ${mark.model}` : null],
    // QuickTime's own place for XMP.
    ['xmp', container === 'mov' && mark !== null ? xmpPacket({ ...mark, prompt: null }) : null],
  ];
  return [
    ...texts.flatMap(([name, text]) => (text === null ? [] : ['-metadata', `${name}=${text}`])),
    ...(reel === null ? [] : ['-metadata:s:v:0', `reel_name=${reel}`]),
    ...(timecode === null || isMatroska ? [] : ['-timecode', timecode, '-write_tmcd', 'on']),
  ];
}

/** Parameters of x265, which writes them into the stream itself (Rec. ITU-T H.265, D.2.28 and D.2.35). */
export function hdrParameters(hdr: HdrMetadata | null): string[] {
  if (hdr === null) return [];
  const { display, light } = hdr;
  const at = ([x, y]: readonly [number, number]) => `(${x},${y})`;
  return [
    'hdr10=1',
    'repeat-headers=1',
    ...(display === null
      ? []
      : [
          `master-display=G${at(display.green)}B${at(display.blue)}R${at(display.red)}WP${at(display.white)}` +
            `L(${display.mostLuminance},${display.leastLuminance})`,
        ]),
    ...(light === null ? [] : [`max-cll=${light.mostContent},${light.mostAverage}`]),
  ];
}
