import { expect, test } from 'vitest';
import { outputColour, scaleMatrix } from './colour.ts';

const untagged = { range: null, primaries: null, transfer: null, matrix: null };
const hd = { width: 1920, height: 1080 };
const sd = { width: 720, height: 576 };

test('an untagged clip is Rec. 709 in HD and Rec. 601 in SD; a tag decides otherwise', () => {
  expect(scaleMatrix(untagged, hd)).toBe('bt709');
  expect(scaleMatrix(untagged, sd)).toBe('smpte170m');
  expect(scaleMatrix({ ...untagged, matrix: 'bt2020nc' }, sd)).toBe('bt2020');
});

test('tags are kept; full range only where the codec can say so', () => {
  const full = { range: 'pc', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;
  expect(outputColour(full, hd, true)).toEqual(full);
  expect(outputColour(full, hd, false)).toEqual({ ...full, range: 'tv' });
  expect(outputColour(untagged, hd, true)).toEqual({ ...untagged, range: 'tv' });
});

test('an RGB clip gets the matrix that it is converted with', () => {
  const rgb = { range: 'pc', primaries: null, transfer: null, matrix: 'gbr' } as const;
  expect(outputColour(rgb, hd, true)).toMatchObject({ range: 'tv', matrix: 'bt709' });
});
