// Which of our codecs is the one that a sequence is set to. Premiere tells a sequence's codec of previews only, as its preset
// has it: a name, or a number, of four characters. What it stands for in other presets is not documented.

import type { OutputCodec } from '../../../../../protocol/codecs.ts';
import type { Sequence } from '../api.ts';

/** Codes of four characters: those of ProRes (Apple, QuickTime), and those of DNxHR and DNxHD (SMPTE ST 2019). */
const codecs: ReadonlyMap<string, OutputCodec> = new Map(
  Object.entries({
    // The proxy variant is for previews alone: the next better one is good enough to be kept.
    apco: 'prores-lt',
    apcs: 'prores-lt',
    apcn: 'prores-422',
    apch: 'prores',
    ap4h: 'prores-4444',
    ap4x: 'prores-xq',
    AVdh: 'dnxhr-hqx',
    AVdn: 'dnxhr-hqx',
  } as const),
);

/** The codec that Premiere's word means; null for one that is not known, or none of ours. */
export function codecOfPreview(word: string): OutputCodec | null {
  return codecs.get(word) ?? codecs.get(charactersOf(word)) ?? null;
}

/** Of a number in decimal digits, its first byte first; empty for other words. */
function charactersOf(word: string): string {
  const number = /^\d{1,10}$/.test(word) ? Number(word) : 0;
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256);
  return number < 2 ** 24 ? '' : String.fromCharCode(...bytes);
}

/** Of the sequence. Null also where Premiere does not answer, which goes to the log. */
export async function readSequenceCodec(sequence: Sequence, log: (line: string) => void): Promise<OutputCodec | null> {
  try {
    const word = await (await sequence.getSettings()).getPreviewCodec();
    return codecOfPreview(word);
  } catch (error) {
    log(`The codec of the sequence could not be read: ${String(error)}`);
    return null;
  }
}
