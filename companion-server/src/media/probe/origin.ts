// Where a clip comes from, as its file tells it. Pure.

import type { ClipOrigin } from './clip-info.ts';
import type { ProbeDocument } from './probe-document.ts';

type Tags = Readonly<Record<string, string | undefined>>;

const maxCharacters = 200;

/** From the whole file's tags, the picture's, and those of its timecode track, in this order of trust: nearest first. */
export function parseOrigin({ streams = [], format }: ProbeDocument, videoIndex: number): ClipOrigin {
  const tracks = streams.filter(({ index, codec_tag_string: tag }) => index === videoIndex || tag === 'tmcd');
  const all: Tags[] = [...tracks.map(({ tags }) => ({ ...tags })), { ...format?.tags }].map(lowerCased);
  const find = (...names: readonly string[]): string | null => {
    for (const name of names) {
      for (const tags of all) {
        const text = cleaned(tags[name]);
        if (text !== '') return text;
      }
    }
    return null;
  };
  return {
    timecode: find('timecode'),
    reel: find('reel_name', 'reel', 'com.apple.proapps.reel'),
    createdAt: dateOf(find('com.apple.quicktime.creationdate', 'creation_time', 'date')),
    title: find('title', 'com.apple.quicktime.displayname'),
    location: locationOf(find('com.apple.quicktime.location.iso6709', 'location')),
  };
}

function lowerCased(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value]));
}

function cleaned(text: string | undefined): string {
  return (text ?? '')
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, maxCharacters);
}

/** Cameras without a clock write the first day of 1904 or of 1970. */
function dateOf(text: string | null): string | null {
  const time = text === null ? NaN : Date.parse(text);
  return Number.isNaN(time) || time <= Date.UTC(1970, 0, 2) ? null : new Date(time).toISOString();
}

function locationOf(text: string | null): string | null {
  return text !== null && /^[+-]\d{1,6}(\.\d+)?[+-]\d{1,7}(\.\d+)?([+-]\d+(\.\d+)?)?(CRS[\w:]+)?\/?$/.test(text)
    ? text
    : null;
}
