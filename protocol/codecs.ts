// How results are encoded. One table for the panel, the wire, the command line and the encoder.

export interface CodecInfo {
  readonly name: string;
  /** As editors know it. */
  readonly title: string;
  /** What it is good for, one sentence. */
  readonly use: string;
  /** With their dots; the first is the usual one. */
  readonly extensions: readonly [string, ...string[]];
  /** Most bits of a sample that it keeps. */
  readonly bits: number;
  /** Whether it keeps a clip's alpha. */
  readonly hasAlpha: boolean;
  /** Nothing is lost between the edited frames and the file. */
  readonly isLossless: boolean;
}

export const codecInfos = [
  {
    name: 'prores',
    title: 'ProRes 422 HQ',
    use: 'For the timeline: 10 bits, plays at once in every editor.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'prores-422',
    title: 'ProRes 422',
    use: 'As 422 HQ, in two thirds of its size.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'prores-lt',
    title: 'ProRes 422 LT',
    use: 'As 422 HQ, in half of its size; for drafts and long clips.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'prores-4444',
    title: 'ProRes 4444',
    use: 'Full colour resolution, and alpha where the clip has it.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: true,
    isLossless: false,
  },
  {
    name: 'prores-xq',
    title: 'ProRes 4444 XQ',
    use: 'As 4444, at a higher data rate.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: true,
    isLossless: false,
  },
  {
    name: 'dnxhr-hqx',
    title: 'DNxHR HQX',
    use: 'For sequences in DNxHR: 10 bits, 4:2:2; from 256 x 120 pixels.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'dnxhr-444',
    title: 'DNxHR 444',
    use: 'As HQX, with full colour resolution.',
    extensions: ['.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'h264',
    title: 'H.264',
    use: 'Small, plays everywhere; 8 bits.',
    extensions: ['.mp4', '.m4v', '.mov'],
    bits: 8,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'h265',
    title: 'H.265',
    use: 'Small, 10 bits; keeps HDR and its metadata.',
    extensions: ['.mp4', '.m4v', '.mov'],
    bits: 10,
    hasAlpha: false,
    isLossless: false,
  },
  {
    name: 'ffv1',
    title: 'FFV1',
    use: 'Lossless, in the bits and the sampling of the clip; for archives. Premiere does not read it.',
    extensions: ['.mkv'],
    bits: 16,
    hasAlpha: true,
    isLossless: true,
  },
] as const satisfies readonly CodecInfo[];

export type OutputCodec = (typeof codecInfos)[number]['name'];

export const outputCodecs: readonly OutputCodec[] = codecInfos.map(({ name }) => name);

/** Throws RangeError for a name that is not in the table. */
export function codecInfo(name: string): CodecInfo {
  const info = codecInfos.find((one) => one.name === name);
  if (info === undefined) throw new RangeError(`codecInfo: must be one of ${outputCodecs.join(', ')}, got '${name}'.`);
  return info;
}

/** The usual file extension of a codec, with its dot. */
export function codecExtension(name: OutputCodec): string {
  return codecInfo(name).extensions[0];
}
