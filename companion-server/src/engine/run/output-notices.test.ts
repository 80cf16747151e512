import { describe, expect, test } from 'vitest';
import { outputNotices } from './output-notices.ts';

const origin = { timecode: null, reel: null, createdAt: null, title: null, location: null };
const plain = {
  bitDepth: 8,
  frameRate: { numerator: 25, denominator: 1 },
  hasAlpha: false,
  hdr: null,
  origin,
  pixelFormat: 'yuv420p',
};
const deep = { ...plain, bitDepth: 10, pixelFormat: 'yuv422p10le' };
const clear = { ...plain, hasAlpha: true, pixelFormat: 'yuva444p' };
const hdr = { ...deep, hdr: { display: null, light: { mostContent: 1000, mostAverage: 400 } } };

describe('a result tells what it does not keep of the clip:', () => {
  test.each([
    ['nothing of an ordinary clip', plain, 'h264', true, ''],
    ['bits', deep, 'h264', true, "H.264 keeps 8 of the clip's 10 bits"],
    ['no bits where the codec has them', deep, 'prores', true, ''],
    ['transparency', clear, 'prores', true, 'ProRes 422 HQ has no transparency'],
    ['no transparency in ProRes 4444', clear, 'prores-4444', true, ''],
    ['transparency of a picture that was scaled up', clear, 'prores-4444', false, 'scaled up'],
    [
      'transparency that is not decoded',
      { ...clear, pixelFormat: 'yuv420p' },
      'prores-4444',
      true,
      'a layer of its own',
    ],
    ['the metadata of HDR', hdr, 'prores', true, "does not carry the clip's HDR metadata"],
    ['no metadata of HDR in H.265', hdr, 'h265', true, ''],
    ['that the model saw another picture', { ...deep, toneMapping: 'pq' }, 'h265', true, 'tone-mapped'],
    [
      'a timecode of another rate',
      { ...plain, origin: { ...origin, timecode: '00:00:00:29' } },
      'prores',
      true,
      '00:00:00:29',
    ],
  ] as const)('%s', (_, clip, codec, keepsPlanes, expected) => {
    const notices = outputNotices(clip, codec, keepsPlanes);
    expect(notices).toHaveLength(expected === '' ? 0 : 1);
    expect(notices.join()).toContain(expected);
  });
});
