// Test clips whose samples are known to be hard to keep, made by ffmpeg and stored lossless.

import { makeClip } from '../../companion-server/src/media/testing/clips.ts';
import { colourCode } from '../../companion-server/src/media/colour.ts';

export interface Picture {
  readonly name: string;
  /** ffmpeg's source filter, whose pictures have the pixel format and are in video range. */
  readonly picture: string;
  readonly pixelFormat: string;
  /** ffmpeg's names. */
  readonly colour: { readonly primaries: string; readonly transfer: string; readonly matrix: string };
}

export interface Pattern extends Picture {
  /** What the result is written as. */
  readonly codec: 'prores' | 'prores-4444' | 'h264' | 'h265';
}

const rec709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };
const rec601 = { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' };
const pq = { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' };
const hlg = { primaries: 'bt2020', transfer: 'arib-std-b67', matrix: 'bt2020nc' };

/** Two frames of `size` whose planes are the given functions of X, Y, W and H. */
function drawn(size: string, pixelFormat: string, luma: string, cb: string, cr: string): string {
  return `nullsrc=size=${size}:rate=25,format=${pixelFormat},geq=lum='${luma}':cb='${cb}':cr='${cr}'`;
}

const noise = 'noise=alls=6:allf=t:all_seed=7';

export const patterns: readonly Pattern[] = [
  {
    name: 'gradient of 10 bits, Rec. 709',
    // A code for five columns.
    picture: drawn('640x96', 'yuv422p10le', '400+X/5+Y/7', '512', '512'),
    pixelFormat: 'yuv422p10le',
    colour: rec709,
    codec: 'prores',
  },
  {
    name: 'gradient of 10 bits, PQ',
    picture: drawn('640x96', 'yuv422p10le', '300+X/5+Y/7', '480+X/20', '540'),
    pixelFormat: 'yuv422p10le',
    colour: pq,
    codec: 'prores',
  },
  {
    name: 'ramp of the codes 4 to 1019',
    picture: drawn('1016x64', 'yuv422p10le', '4+X', '512', '512'),
    pixelFormat: 'yuv422p10le',
    colour: rec709,
    codec: 'prores',
  },
  {
    name: 'all chroma of 10 bits',
    picture: drawn('512x512', 'yuv444p10le', '502', '64+896*X/W', '64+896*Y/H'),
    pixelFormat: 'yuv444p10le',
    colour: rec709,
    codec: 'prores-4444',
  },
  {
    name: "a phone's HLG, 4:2:0 of 10 bits",
    picture: `testsrc2=size=640x360:rate=25,format=yuv420p10le,${noise}`,
    pixelFormat: 'yuv420p10le',
    colour: hlg,
    codec: 'h265',
  },
  {
    name: '8 bits, Rec. 709',
    picture: `testsrc2=size=640x360:rate=25,format=yuv420p,${noise}`,
    pixelFormat: 'yuv420p',
    colour: rec709,
    codec: 'h264',
  },
  {
    name: '8 bits, Rec. 601',
    picture: `testsrc2=size=640x480:rate=25,format=yuv420p,${noise}`,
    pixelFormat: 'yuv420p',
    colour: rec601,
    codec: 'prores',
  },
];

/** One for each number of bits and each sampling, to be kept to the bit. */
export const losslessPictures: readonly Picture[] = ['', '10le', '12le'].flatMap((bits) =>
  ['420', '422', '444'].map((sampling) => ({
    name: `yuv${sampling}p${bits}`,
    picture: `testsrc2=size=320x180:rate=25,format=yuv${sampling}p${bits},noise=alls=60:allf=t:all_seed=7`,
    pixelFormat: `yuv${sampling}p${bits}`,
    colour: rec709,
  })),
);

const frames = 2;

/** Writes the clip. */
export function makePicture({ picture, pixelFormat, colour }: Picture, file: string): Promise<string> {
  const { primaries, transfer, matrix } = colour;
  const [primariesCode, transferCode] = [colourCode('primaries', primaries), colourCode('transfer', transfer)];
  return makeClip(file, [
    ...['-f', 'lavfi', '-i', picture, '-frames:v', String(frames)],
    ...['-vf', `setparams=range=tv:color_primaries=${primariesCode}:color_trc=${transferCode}:colorspace=${matrix}`],
    ...['-color_range', 'tv', '-color_primaries', String(primariesCode), '-color_trc', String(transferCode)],
    ...['-colorspace', matrix, '-c:v', 'ffv1', '-pix_fmt', pixelFormat],
  ]);
}
