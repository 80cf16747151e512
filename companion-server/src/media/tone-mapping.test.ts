// The ways between codes of high dynamic range and pictures in standard range, against points that standards name.

import fc from 'fast-check';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeFrames } from './decode/frames.ts';
import { probeClip } from './probe/probe.ts';
import type { RgbPlanes } from './rgb-planes.ts';
import { collect, makeClip, makeFolder } from './testing/clips.ts';
import { toClipCode, toneMapped, toStandardRange } from './tone-mapping.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

type Colour = readonly [number, number, number];
type Mapping = Parameters<typeof toClipCode>[1];
const mappings: readonly Mapping[] = ['pq', 'hlg'];

/** Codes 0..1 -> 0..255. */
const show = (colour: Colour, mapping: Mapping) =>
  Array.from(
    toStandardRange(
      Uint16Array.from(colour, (code) => Math.round(65_535 * code)),
      mapping,
    ),
  );

/** 0..255 -> codes 0..1. */
function store(colour: Colour, mapping: Mapping): Colour {
  const [r, g, b] = colour.map((value) => Float32Array.of(value));
  if (r === undefined || g === undefined || b === undefined) throw new RangeError('A channel is missing.');
  const picture: RgbPlanes = { index: 0, width: 1, height: 1, planes: [r, g, b] };
  const [red, green, blue] = toClipCode(picture, mapping).planes.map(([value = 0]) => value / 255);
  return [red ?? 0, green ?? 0, blue ?? 0];
}

const grey = (code: number): Colour => [code, code, code];

describe('high dynamic range in standard range', () => {
  test('reference white is the same grey in PQ (58 %) and HLG (75 %), as Rep. ITU-R BT.2408 says', () => {
    const [pqWhite = 0] = show(grey(0.5807), 'pq');
    const [hlgWhite = 0] = show(grey(0.75), 'hlg');
    expect(Math.abs(pqWhite - hlgWhite)).toBeLessThanOrEqual(1);
    expect(pqWhite).toBeGreaterThan(190);
    expect(pqWhite).toBeLessThan(245);
  });

  test('black is black, and 1000 cd/m2 are white, in both', () => {
    expect([show(grey(0), 'pq'), show(grey(0), 'hlg')]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    // 1000 cd/m2 have the PQ code 0.7518.
    expect(show(grey(0.7518), 'pq')).toEqual([255, 255, 255]);
    expect(show(grey(1), 'hlg')).toEqual([255, 255, 255]);
    expect(show(grey(0.9), 'pq')).toEqual([255, 255, 255]);
  });

  test.each(mappings)('every shown colour comes back from its code: %s', (mapping) => {
    const code = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(code, code, code), (colour) => {
        const stored = store(colour, mapping);
        // HLG has no code for the brightest pure blue.
        fc.pre(Math.max(...stored) < 1);
        show(stored, mapping).forEach((value, c) => {
          expect(Math.abs(value - (colour[c] ?? 0))).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 300 },
    );
  });

  test.each(mappings)('greys up to the peak have one code each: %s', (mapping) => {
    const peak = mapping === 'pq' ? 0.75 : 1;
    for (let code = 0.1; code < peak; code += 0.05) {
      const [shown = 0] = show(grey(code), mapping);
      const [lower, higher] = [shown - 1, shown + 1].map((value) => store(grey(Math.min(255, value)), mapping)[0]);
      expect(lower).toBeLessThan(code);
      expect(higher ?? 0).toBeGreaterThanOrEqual(Math.min(code, store(grey(255), mapping)[0]) - 1e-6);
    }
  });

  test('a clip in PQ is decoded so if it is to be shown, and as it is stored otherwise', async () => {
    const picture = `nullsrc=size=32x16:rate=25,format=yuv420p10le,geq=lum='64+876*0.5807':cb=512:cr=512`;
    const tags = 'setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc';
    const options = ['-color_range', 'tv', '-color_primaries', '9', '-color_trc', '16', '-colorspace', 'bt2020nc'];
    const file = await makeClip(path.join(folder.path, 'pq.mkv'), [
      ...['-f', 'lavfi', '-i', `${picture},${tags}`, '-frames:v', '1', ...options, '-c:v', 'ffv1'],
    ]);
    const clip = await probeClip(file);
    expect(toneMapped(clip)).toMatchObject({ toneMapping: 'pq' });
    const [stored] = await collect(decodeFrames(clip));
    const [shown] = await collect(decodeFrames(toneMapped(clip), { size: { width: 16, height: 8 } }));
    const [wanted = 0] = show(grey(0.5807), 'pq');
    expect(Math.abs((stored?.rgb[0] ?? 0) - 148)).toBeLessThanOrEqual(1);
    expect(shown).toMatchObject({ width: 16, height: 8, pixelFormat: 'rgb24' });
    for (const value of shown?.rgb ?? []) expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1);
  });

  test('a clip in standard range is shown as it is stored', () => {
    const colour = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;
    const clip = { colour } as Parameters<typeof toneMapped>[0];
    expect(toneMapped(clip)).toBe(clip);
  });
});
