import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../protocol/fields.ts';
import { maskLimits, maskSettings, type MaskShape } from '../../../protocol/mask.ts';
import { emptyForm } from './form.ts';
import { coveredRuns, overlayRows, type CoveredRun } from './region-overlay.ts';
import {
  drawingAt,
  isRegionMissing,
  maskOf,
  regionOf,
  regionTools,
  shapeOf,
  wholePictureRegion,
  withShape,
  wordsBlock,
  type Region,
} from './region.ts';

const form = emptyForm('prores-4444');
const rectangle: MaskShape = { kind: 'rectangle', points: [0.25, 0.25, 0.75, 0.75], erases: false };
const drawn = withShape({ ...wholePictureRegion, kind: 'drawn' }, rectangle);
const areaOf = (runs: readonly CoveredRun[]): number =>
  runs.reduce((sum, { from, to }) => sum + to - from, 0) / overlayRows;

describe('the mask of a region', () => {
  test('is none for the whole picture, and missing until something is drawn or named', () => {
    expect(maskOf({ region: wholePictureRegion, form })).toBeUndefined();
    expect(isRegionMissing({ region: wholePictureRegion, form })).toBe(false);
    expect(isRegionMissing({ region: { ...wholePictureRegion, kind: 'drawn' }, form })).toBe(true);
    expect(isRegionMissing({ region: { ...wholePictureRegion, kind: 'words', words: 'wolf' }, form })).toBe(true);
  });

  test('is a mask that the server takes, whatever is drawn', () => {
    const place = fc.record({
      x: fc.double({ min: -9, max: 9, noNaN: true }),
      y: fc.double({ min: -9, max: 9, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...regionTools), fc.array(place, { minLength: 1, maxLength: 9 }), (tool, places) => {
        const shape = shapeOf({ tool, erases: false }, places);
        if (shape === null) return;
        const mask = maskOf({ region: withShape({ ...drawn, tool }, shape), form });
        expect(parse(maskSettings, mask, 'mask')).toEqual(mask);
      }),
    );
  });

  test('names words that the description of the clip has, and no others', () => {
    const region: Region = { ...wholePictureRegion, kind: 'words', words: ' The Wolf ' };
    expect(wordsBlock({ region, form: { sourcePrompt: 'look, the wolf' } })).toBeNull();
    expect(maskOf({ region, form: { ...form, sourcePrompt: 'look, the wolf' } })).toMatchObject({ words: 'The Wolf' });
    expect(wordsBlock({ region, form: { sourcePrompt: 'the wolfhound' } })).toBe('not-in-source');
    expect(wordsBlock({ region: { ...region, words: '' }, form })).toBe('empty');
  });

  test('comes back from the settings of an edit', () => {
    const words: Region = { ...drawn, kind: 'words', words: 'wolf', drawings: [] };
    for (const region of [{ ...drawn, invert: true, feather: 3, follows: false, asAlpha: true }, words]) {
      const mask = maskOf({ region, form: { ...form, sourcePrompt: 'a wolf' } });
      expect(mask).toBeDefined();
      expect(maskOf({ region: regionOf(mask, region), form: { ...form, sourcePrompt: 'a wolf' } })).toEqual(mask);
    }
    expect(regionOf(undefined, drawn).kind).toBe('whole');
  });

  test('is the alpha of the result only in a file that keeps alpha', () => {
    const region = { ...drawn, asAlpha: true };
    expect(maskOf({ region, form })?.asAlpha).toBe(true);
    expect(maskOf({ region, form: { ...form, codec: 'h264' } })?.asAlpha).toBe(false);
  });
});

describe('drawings', () => {
  test('hold from their frame on, and the first one before it', () => {
    const region = withShape({ ...drawn, frame: 8 }, { ...rectangle, erases: true });
    const frameAt = (frame: number) => drawingAt({ ...region, frame })?.frame;
    expect([frameAt(0), frameAt(7), frameAt(8), frameAt(99)]).toEqual([0, 0, 8, 8]);
    expect(drawingAt({ drawings: [...region.drawings.slice(1)], frame: 2 })?.frame).toBe(8);
  });

  test('are never more than a mask may have', () => {
    const many = Array.from({ length: maskLimits.frames + 3 }, (_, frame) => frame);
    const region = many.reduce((next, frame) => withShape({ ...next, frame }, rectangle), drawn);
    expect(region.drawings).toHaveLength(maskLimits.frames);
    const long: MaskShape = {
      kind: 'brush',
      points: Array(2 * maskLimits.points).fill(0.5),
      radius: 0.1,
      erases: false,
    };
    expect(withShape(drawn, long).drawings).toBe(drawn.drawings);
  });
});

describe('what the eye sees of shapes', () => {
  test.each([
    ['rectangle', rectangle, 0.25],
    ['ellipse', { ...rectangle, kind: 'ellipse' }, (Math.PI / 4) * 0.25],
    ['polygon', { ...rectangle, kind: 'polygon', points: [0.25, 0.25, 0.75, 0.25, 0.75, 0.75] }, 0.125],
    [
      'brush',
      { kind: 'brush', points: [0.3, 0.5, 0.7, 0.5], radius: 0.1, erases: false },
      0.08 + (Math.PI * 0.01) / 1.6,
    ],
  ] as const)('of a %s is its area', (_, shape, area) => {
    expect(areaOf(coveredRuns([shape], false, 1.6))).toBeCloseTo(area, 1);
    expect(Math.abs(areaOf(coveredRuns([shape], false, 1.6)) - area)).toBeLessThan(0.01);
    expect(areaOf(coveredRuns([shape], true, 1.6)) + areaOf(coveredRuns([shape], false, 1.6))).toBeCloseTo(1, 6);
  });

  test('is gone where a later shape erases it', () => {
    const half: MaskShape = { ...rectangle, points: [0.5, 0, 1, 1], erases: true };
    expect(areaOf(coveredRuns([rectangle, half], false, 1))).toBeCloseTo(0.125, 2);
    expect(areaOf(coveredRuns([half, rectangle], false, 1))).toBeCloseTo(0.25, 2);
  });
});
