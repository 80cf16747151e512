import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePlanes } from '../decode/frames.ts';
import { gbrFormat, planeSizes, yuvFormat, type PlanarFrame, type PlaneFormat } from '../planes.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, makeFolder } from '../testing/clips.ts';
import { rate } from '../testing/encode-frames.ts';
import { openEncoder } from './encode.ts';
import { widenPlanes, widerFormat } from './widen-planes.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const size = { width: 64, height: 48 };

/** Alpha is 0 at the left, all of it at the right, and half of it between. */
function layer(format: PlaneFormat): PlanarFrame {
  const most = 2 ** format.bits - 1;
  const planes = planeSizes(format, size).map((plane, k) => {
    const values = Array.from({ length: plane.width * plane.height }, (_, i) => {
      const third = Math.floor((3 * (i % plane.width)) / plane.width);
      if (k === 3) return Math.round((most * third) / 2);
      return k === 0 ? Math.round(most * 0.6) : 2 ** (format.bits - 1);
    });
    return format.bits > 8 ? Uint16Array.from(values) : Uint8Array.from(values);
  });
  return { ...size, index: 0, format, planes };
}

describe('alpha in ProRes 4444', () => {
  const formats = [
    ...['420', '422', '444'].flatMap((sampling) =>
      [8, 10, 16].map((bits) => yuvFormat(sampling as '420' | '422' | '444', bits, true)),
    ),
    ...[8, 10, 16].map((bits) => gbrFormat(bits, true)),
  ].map((format) => [format.name, format] as const);

  test.each(formats)('of %s is opaque where it was opaque, and clear where it was clear', async (name, format) => {
    const file = path.join(folder.path, `${name}.mov`);
    const options = { ...size, frameRate: rate(25), codec: 'prores-4444', input: format, inputRange: 'tv' } as const;
    const encoder = await openEncoder(file, options);
    await encoder.write(layer(format));
    await encoder.finish();
    const [stored] = await collect(decodePlanes(await probeClip(file), {}));
    const alpha = stored?.planes[3];
    if (stored === undefined || alpha === undefined) throw new Error('The result has no alpha.');
    const most = 2 ** stored.format.bits - 1;
    expect(alpha[0]).toBe(0);
    expect(alpha[size.width - 1]).toBe(most);
    expect(Math.abs((alpha[size.width / 2] ?? 0) - most / 2)).toBeLessThan(most / 255);
    // Luma keeps its place between the format's black and white.
    const isRgb = format.components === 'gbr';
    if (!isRgb) expect(Math.abs((stored.planes[0]?.[0] ?? 0) / most - 0.6)).toBeLessThan(0.004);
  });
});

describe('widenPlanes', () => {
  test('keeps black, white and grey of either range', () => {
    const format = yuvFormat('444', 8, true);
    const frame = {
      ...{ width: 3, height: 1, index: 0, format },
      planes: [
        [0, 128, 255],
        [0, 128, 255],
        [16, 128, 240],
        [0, 128, 255],
      ].map((codes) => Uint8Array.from(codes)),
    };
    const wider = widerFormat(format);
    if (wider === null) throw new Error('There is no wider format.');
    const codesOf = (range: 'tv' | 'pc') => widenPlanes(frame, wider, range).planes.map((plane) => [...plane]);
    expect(codesOf('tv')).toEqual([
      [0, 512, 1020],
      [0, 512, 1020],
      [64, 512, 960],
      [0, 514, 1023],
    ]);
    expect(codesOf('pc')).toEqual([
      [0, 514, 1023],
      [0, 512, 1021],
      [63, 512, 961],
      [0, 514, 1023],
    ]);
  });

  test('is not for planes without alpha, nor for those that are wide enough', () => {
    expect(widerFormat(yuvFormat('420', 8))).toBeNull();
    expect(widerFormat(yuvFormat('420', 10, true))).toBeNull();
  });
});
