// A damaged clip has frames that cannot be decoded. The decoded pictures are placed by their times; a few gaps are
// filled, so that one bad packet does not shift or lose all that follows.

import { EditError } from '../../errors.ts';
import type { ClipInfo } from './clip-info.ts';
import type { StoredPicture } from './stored-pictures.ts';

/** Most of the stored frames that may be missing, as a share of those that are read; one may always. */
const maxMissingShare = 0.1;

/** Which stored frame a picture is, and how many are missing. */
export class Gaps {
  missing = 0;
  readonly first: number;
  readonly last: number;
  private readonly clip: ClipInfo;
  private next: number;

  constructor(clip: ClipInfo, first: number, last: number) {
    this.clip = clip;
    this.first = this.next = first;
    this.last = last;
  }

  /**
   * The number of the stored frame that is shown at `time`, and those before it that did not come; null for a frame that
   * came before or is not in the list.
   */
  place(time: number | null): { readonly stored: number; readonly skipped: readonly number[] } | null {
    const stored = this.numberOf(time);
    if (stored < this.next) return null;
    const skipped = this.skipTo(Math.min(stored, this.last + 1));
    this.next = stored + 1;
    return { stored, skipped };
  }

  /** The missing frames after the last picture. `hasAny`: whether any picture has come. */
  end(hasAny: boolean): readonly number[] {
    const rest = this.skipTo(this.last + 1);
    if (hasAny) return rest;
    throw miscounted(this.clip, rest.length, 0);
  }

  private skipTo(stored: number): readonly number[] {
    const skipped = Array.from({ length: Math.max(0, stored - this.next) }, (_, i) => this.next + i);
    this.missing += skipped.length;
    this.next = Math.max(this.next, stored);
    const expected = this.last - this.first + 1;
    if (this.missing <= Math.max(1, maxMissingShare * expected)) return skipped;
    throw miscounted(this.clip, expected, expected - this.missing);
  }

  private numberOf(time: number | null): number {
    const { frameTimes: times } = this.clip;
    if (time === null || times === null || Number.isNaN(time)) return this.next;
    let stored = this.next;
    // Half way to the next frame, a time belongs to that one.
    while (stored + 1 < times.length && time > ((times[stored] ?? 0) + (times[stored + 1] ?? 0)) / 2) stored++;
    const before = (times[stored - 1] ?? -Infinity) / 2 + (times[stored] ?? 0) / 2;
    return time > before ? stored : -1;
  }
}

/** Every stored frame once: where one is missing, the picture before it, or at the very beginning the one behind it. */
export async function* fillGaps(
  pictures: AsyncIterable<StoredPicture>,
  gaps: Gaps,
): AsyncGenerator<{ readonly stored: number; readonly bytes: Uint8Array }, void, undefined> {
  let before: Uint8Array | null = null;
  for await (const { time, bytes } of pictures) {
    const place = gaps.place(time);
    if (place === null) continue;
    for (const stored of place.skipped) yield { stored, bytes: (before ?? bytes).slice() };
    // The reader may change what it gets.
    before = bytes.slice();
    yield { stored: place.stored, bytes };
  }
  const rest = gaps.end(before !== null);
  for (const stored of rest) if (before !== null) yield { stored, bytes: before.slice() };
}

function miscounted(clip: ClipInfo, expected: number, found: number): EditError {
  return new EditError(
    'clip-unreadable',
    `Of ${expected} frames of "${clip.path}" that were found in its index, ${found} can be decoded.`,
    { hint: 'The file is damaged: copy or export the clip again.' },
  );
}
