import { expect, it } from 'vitest';
import type { RgbPlanes } from '../media/rgb-planes.ts';
import { exactChange, fitSmoothChange, middle, type LocalChange } from './local-change.ts';

const size = { width: 32, height: 24 };
type Colour = readonly [number, number, number];
const [red, blue, green]: readonly [Colour, Colour, Colour] = [
  [200, 40, 50],
  [50, 40, 200],
  [60, 160, 70],
];

function picture(colourAt: (x: number, y: number) => Colour): RgbPlanes {
  const plane = (c: number) =>
    Float32Array.from({ length: size.width * size.height }, (_, i) => {
      return colourAt(i % size.width, Math.floor(i / size.width))[c] ?? NaN;
    });
  return { ...size, index: 0, planes: [plane(0), plane(1), plane(2)] };
}

/** `left` before the column `edge`, green from there on. */
const withEdge = (left: Colour, edge: number) => picture((x) => (x < edge ? left : green));

/** Channel `c` of the changed picture. */
function changed({ planes }: RgbPlanes, { gains, offsets }: LocalChange, c: number): Float32Array {
  return Float32Array.from({ length: size.width * size.height }, (_, i) => {
    const parts = planes.map((plane, j) => (gains[3 * c + j]?.[i] ?? NaN) * ((plane[i] ?? NaN) - middle));
    return parts.reduce((sum, part) => sum + part, offsets[c]?.[i] ?? NaN) + middle;
  });
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));

it('a recolouring is right where the edge of the thing lies elsewhere', () => {
  const change = fitSmoothChange(withEdge(red, 15), withEdge(blue, 15), 6);
  const [source, wanted] = [withEdge(red, 16), withEdge(blue, 16)];
  // By its place, the column 15 would stay red, which is 150 from blue.
  for (const c of [0, 1, 2]) {
    expect(farthest(changed(source, change, c), wanted.planes[c] ?? [])).toBeLessThan(20);
  }
});

it('nothing changes where nothing was changed', () => {
  const source = withEdge(red, 15);
  const change = fitSmoothChange(source, source, 6);
  for (const c of [0, 1, 2]) expect(changed(source, change, c)).toEqual(source.planes[c]);
});

it('an exact change gives the edited picture point by point, and leaves what is alike', () => {
  const source = picture((x, y) => [(7 * x) % 256, (11 * y) % 256, (3 * x * y) % 256]);
  const edited = picture((x, y) => (x < 9 ? [y, 255 - x, 128] : [(7 * x) % 256, (11 * y) % 256, (3 * x * y) % 256]));
  const change = exactChange(source, edited);
  for (const c of [0, 1, 2]) expect(farthest(changed(source, change, c), edited.planes[c] ?? [])).toBe(0);
  expect(change.offsets[0]?.[20]).toBe(0);
});
