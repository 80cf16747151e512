// Which colour matrix and range to convert with, and which tags to write. Pure; names are ffmpeg's.

import type { ClipInfo, ColourTags } from './probe/clip-info.ts';
import type { Size } from './frame.ts';

/** A tag -> the name that ffmpeg's scale filter has for the matrix. */
const scaleMatrices: Readonly<Record<string, string>> = {
  bt709: 'bt709',
  bt470bg: 'bt470',
  smpte170m: 'smpte170m',
  smpte240m: 'smpte240m',
  fcc: 'fcc',
  bt2020nc: 'bt2020',
};

/** Rec. ITU-T H.273, tables 2 and 3: numbers mean the same to every option of ffmpeg, whose names differ. */
const primariesCodes: Readonly<Record<string, number>> = {
  bt709: 1,
  bt470m: 4,
  bt470bg: 5,
  smpte170m: 6,
  smpte240m: 7,
  film: 8,
  bt2020: 9,
  smpte428: 10,
  smpte431: 11,
  smpte432: 12,
  'jedec-p22': 22,
  ebu3213: 22,
};
const transferCodes: Readonly<Record<string, number>> = {
  bt709: 1,
  bt470m: 4,
  gamma22: 4,
  bt470bg: 5,
  gamma28: 5,
  smpte170m: 6,
  smpte240m: 7,
  linear: 8,
  log100: 9,
  log316: 10,
  'iec61966-2-4': 11,
  bt1361e: 12,
  'iec61966-2-1': 13,
  'bt2020-10': 14,
  'bt2020-12': 15,
  smpte2084: 16,
  smpte428: 17,
  smpte428_1: 17,
  'arib-std-b67': 18,
};

/** The number that ffmpeg's options take for a tag; null where there is no tag, or none that is known here. */
export function colourCode(kind: 'primaries' | 'transfer', tag: string | null): number | null {
  const codes = kind === 'primaries' ? primariesCodes : transferCodes;
  return tag === null ? null : (codes[tag] ?? null);
}

/**
 * The matrix for the scale filter. An untagged clip is Rec. 709 from 720 lines (or 1280 columns) up and Rec. 601
 * below, as editors and players assume; decoding and encoding agree on it, so colours return unchanged.
 */
export function scaleMatrix(colour: ColourTags, size: Size): string {
  const tagged = scaleMatrices[colour.matrix ?? ''];
  return tagged ?? (size.height >= 720 || size.width >= 1280 ? 'bt709' : 'smpte170m');
}

/**
 * The tags of the result. Without `keepsFullRange` it is video range, as ProRes is by definition; RGB and matrices that
 * ffmpeg cannot write become the one that `scaleMatrix` used.
 */
export function outputColour(
  colour: ColourTags,
  size: Size,
  keepsFullRange: boolean,
): ColourTags & { readonly range: 'tv' | 'pc' } {
  const isKept = colour.matrix === null || colour.matrix in scaleMatrices;
  return {
    range: keepsFullRange && colour.range === 'pc' && colour.matrix !== 'gbr' ? 'pc' : 'tv',
    primaries: colour.primaries,
    transfer: colour.transfer,
    matrix: isKept ? colour.matrix : scaleMatrix(colour, size),
  };
}

/** The range in which a clip's samples are stored; video range where the file does not say, as editors assume. */
export function storedRange({ colour, pixelFormat }: Pick<ClipInfo, 'colour' | 'pixelFormat'>): 'tv' | 'pc' {
  if (isRgb(pixelFormat)) return 'pc';
  return colour.range ?? (/^yuvj|^gray|^ya/.test(pixelFormat) ? 'pc' : 'tv');
}

/** Whether pixels of this format are stored as red, green and blue. */
export function isRgb(pixelFormat: string): boolean {
  return /^(rgb|bgr|argb|abgr|gbr|0rgb|0bgr|pal8)/.test(pixelFormat);
}
