import { describe, expect, test } from 'vitest';
import { parseVideo } from './probe-document.ts';

const video = { index: 0, codec_type: 'video', width: 720, height: 576, pix_fmt: 'yuv420p' };

describe('parseVideo', () => {
  test('passes over the cover picture of a sound file', () => {
    const cover = { ...video, disposition: { attached_pic: 1 } };
    expect(parseVideo({ streams: [cover] })).toBeNull();
    expect(parseVideo({ streams: [cover, { ...video, index: 2 }] })?.streamIndex).toBe(2);
  });

  test('an anamorphic clip is shown wider than it is stored', () => {
    const parsed = parseVideo({ streams: [{ ...video, sample_aspect_ratio: '64:45' }] });
    expect(parsed?.displaySize).toEqual({ width: 1024, height: 576 });
    expect(parsed?.frameSize).toEqual({ width: 720, height: 576 });
  });

  test.each([
    [{ side_data_list: [{ rotation: -90 }] }, 90],
    [{ side_data_list: [{ rotation: 90 }] }, 270],
    [{ side_data_list: [{ rotation: '-180' }] }, 180],
    [{ tags: { rotate: '270' } }, 270],
    [{}, 0],
  ])('%j is turned by %i degrees clockwise', (field, degrees) => {
    expect(parseVideo({ streams: [{ ...video, ...field }] })?.rotationDegrees).toBe(degrees);
  });

  test('turning exchanges width and height, and the sides of a pixel', () => {
    const stream = { ...video, sample_aspect_ratio: '16:15', tags: { rotate: '90' } };
    expect(parseVideo({ streams: [stream] })).toMatchObject({
      codedSize: { width: 720, height: 576 },
      frameSize: { width: 576, height: 720 },
      sampleAspect: { numerator: 15, denominator: 16 },
    });
  });

  test.each([
    ['yuv420p', 8],
    ['yuv422p10le', 10],
    ['p010le', 10],
    ['yuv444p12be', 12],
    ['gbrp10le', 10],
    ['rgb48be', 16],
    ['nv12', 8],
  ])('%s has %i bits', (pix_fmt, bits) => {
    expect(parseVideo({ streams: [{ ...video, pix_fmt }] })?.bitDepth).toBe(bits);
  });
});
