import { describe, expect, it } from 'vitest';
import type { Rgb24Frame, Size } from '../media/frame.ts';
import { canny } from './canny.ts';
import { controlPicture } from './control-picture.ts';
import { gaussianBlur } from './gaussian-blur.ts';
import { lineart, scribble } from './lines.ts';
import { smoothed, type Neighbour } from './smooth.ts';
import { luma, tile } from './tones.ts';

type Colour = readonly [number, number, number];

function picture({ width, height }: Size, colourAt: (x: number, y: number) => number | Colour): Rgb24Frame {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const colour = colourAt(i % width, Math.floor(i / width));
    rgb.set(typeof colour === 'number' ? [colour, colour, colour] : colour, 3 * i);
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

/** Rows of characters: `#` for 255, `+` for other values than 0. */
function drawn(plane: ArrayLike<number>, width: number): readonly string[] {
  const signs = Array.from(plane, (value) => (value === 255 ? '#' : value === 0 ? '.' : '+'));
  return Array.from({ length: signs.length / width }, (_, y) => signs.slice(y * width, (y + 1) * width).join(''));
}

describe('canny', () => {
  it('draws the step between two halves as one line of a pixel: the first of the two equal gradients', () => {
    const halves = picture({ width: 8, height: 4 }, (x) => (x < 4 ? 0 : 200));
    // Sobel gives 4 * 200 at x = 3 and at x = 4, in the rows of the border too, which is repeated.
    expect(drawn(canny(halves), 8)).toEqual(['...#....', '...#....', '...#....', '...#....']);
  });

  it('draws a horizontal step alike', () => {
    const halves = picture({ width: 4, height: 6 }, (_, y) => (y < 3 ? 200 : 0));
    expect(drawn(canny(halves), 4)).toEqual(['....', '....', '####', '....', '....', '....']);
  });

  it('leaves out a step whose gradient is not above the low threshold, and keeps a weak one that touches a strong one', () => {
    const step = (height: number) => picture({ width: 8, height: 3 }, (x) => (x < 4 ? 0 : height));
    // 4 * 25 = 100 is not above 100; 4 * 50 = 200 is not above 200, so that nothing begins there.
    expect(canny(step(25)).some((value) => value > 0)).toBe(false);
    expect(canny(step(50)).some((value) => value > 0)).toBe(false);
    expect(canny(step(51)).some((value) => value > 0)).toBe(true);
    // Above the line the step is strong, below it weak all the way down.
    const fading = picture({ width: 8, height: 9 }, (x, y) => (x < 4 ? 0 : y < 4 ? 90 : 40));
    const rows = drawn(canny(fading), 8);
    expect(rows[8]).toBe('...#....');
    expect(drawn(canny(picture({ width: 8, height: 9 }, (x) => (x < 4 ? 0 : 40))), 8)[8]).toBe('........');
  });

  it('sees an edge that is in one channel only', () => {
    const red = picture({ width: 8, height: 3 }, (x) => (x < 4 ? [0, 90, 90] : [220, 90, 90]));
    expect(drawn(canny(red), 8)[1]).toBe('...#....');
  });

  it('finds nothing in a flat picture, and a closed outline around a square', () => {
    expect(canny(picture({ width: 9, height: 9 }, () => 130)).every((value) => value === 0)).toBe(true);
    const square = picture({ width: 12, height: 12 }, (x, y) => (x >= 4 && x < 8 && y >= 4 && y < 8 ? 255 : 0));
    const rows = drawn(canny(square), 12);
    for (const row of [4, 5, 6, 7]) expect(rows[row]).toMatch(/#.*#/);
    expect(rows.slice(0, 3).join('')).not.toContain('#');
    expect(rows.slice(9).join('')).not.toContain('#');
  });
});

describe('gaussianBlur', () => {
  it('spreads a point as the formula says, and keeps the sum', () => {
    const size = { width: 21, height: 21 };
    const point = new Float32Array(21 * 21);
    point[10 * 21 + 10] = 1;
    const blurred = gaussianBlur(point, size, 1);
    // exp(-1/2) of the middle beside it, exp(-1) at the corner.
    const middle = blurred[10 * 21 + 10] ?? 0;
    expect((blurred[10 * 21 + 11] ?? 0) / middle).toBeCloseTo(Math.exp(-0.5), 5);
    expect((blurred[11 * 21 + 11] ?? 0) / middle).toBeCloseTo(Math.exp(-1), 5);
    expect(blurred.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });

  it('leaves a flat picture as it is, up to its border', () => {
    const flat = new Float32Array(6 * 4).fill(7);
    expect([...gaussianBlur(flat, { width: 6, height: 4 }, 5)].every((value) => Math.abs(value - 7) < 1e-4)).toBe(true);
  });
});

describe('line drawings', () => {
  const line = picture({ width: 40, height: 24 }, (x) => (x >= 19 && x < 21 ? 0 : 255));

  it.each([
    ['lineart', lineart],
    ['scribble', scribble],
  ])('%s is light on a dark line and black elsewhere', (_name, draw) => {
    const drawing = draw(line);
    const row = 12 * 40;
    expect(Math.min(drawing[row + 19] ?? 0, drawing[row + 20] ?? 0)).toBeGreaterThan(100);
    expect(drawing[row + 2]).toBe(0);
    expect(drawing[row + 37]).toBe(0);
  });

  it.each([
    ['lineart', lineart],
    ['scribble', scribble],
  ])('%s of a flat picture is black', (_name, draw) => {
    expect(draw(picture({ width: 16, height: 16 }, () => 90)).every((value) => value === 0)).toBe(true);
  });

  it('lineart shows the median of its lines in medium grey', () => {
    const drawing = lineart(line);
    const lines = [...drawing].filter((value) => value > 0).sort((a, b) => a - b);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines).toContain(127);
  });
});

describe('tones', () => {
  it('luma weighs red, green and blue by Rec. 601', () => {
    const colours = picture({ width: 3, height: 1 }, (x) => [x === 0 ? 255 : 0, x === 1 ? 255 : 0, x === 2 ? 255 : 0]);
    expect([...luma(colours)]).toEqual([76, 150, 29]);
  });

  it('tile is the mean of each square in its middle, and goes evenly from one to the next', () => {
    const halves = picture({ width: 16, height: 8 }, (x, y) => (x < 8 ? ((x + y) % 2 === 0 ? 0 : 100) : 250));
    const row = Array.from(tile(halves))
      .filter((_, i) => i % 3 === 0)
      .slice(3 * 16, 4 * 16);
    expect(row[0]).toBe(50);
    expect(row[15]).toBe(250);
    // 50 + 200 * 3.5/8 and 50 + 200 * 4.5/8
    expect(row.slice(7, 9)).toEqual([138, 163]);
    expect(row).toEqual(row.toSorted((a, b) => a - b));
  });

  it('tile takes pictures whose sides are no multiples of a square', () => {
    const odd = tile(picture({ width: 11, height: 5 }, () => [10, 20, 30]));
    expect([...odd.slice(0, 3), ...odd.slice(-3)]).toEqual([10, 20, 30, 10, 20, 30]);
  });
});

describe('controlPicture', () => {
  it("has three equal channels where the filter makes one, and the frame's size and index", () => {
    const frame = { ...picture({ width: 8, height: 4 }, (x) => (x < 4 ? 0 : 200)), index: 7 };
    const { index, width, height, rgb } = controlPicture('canny', frame);
    expect({ index, width, height }).toEqual({ index: 7, width: 8, height: 4 });
    expect([...rgb.subarray(9, 15)]).toEqual([255, 255, 255, 0, 0, 0]);
  });
});

describe('smoothed', () => {
  const size = { width: 12, height: 6 };
  const still = (known = 1, dx = 0): Neighbour['motion'] => ({
    ...size,
    vectors: { dims: [2, 6, 12], data: Float32Array.from({ length: 2 * 72 }, (_, i) => (i < 72 ? dx : 0)) },
    known: new Uint8Array(72).fill(known),
  });
  const dark = picture(size, () => 0);
  const lineAt = (at: number) => picture(size, (x) => (x === at ? 255 : 0));

  it('removes what flashes up in one frame, and keeps what both neighbours show', () => {
    const flash = picture(size, (x, y) => (x === 5 && y === 3 ? 255 : 0));
    const [before, after] = [
      { picture: dark, motion: still() },
      { picture: dark, motion: still() },
    ];
    expect(smoothed(flash, before, after).rgb).toEqual(dark.rgb);
    const line = { picture: lineAt(5), motion: still() };
    expect(smoothed(lineAt(5), line, line).rgb).toEqual(lineAt(5).rgb);
  });

  it('follows the motion: a line that moves with the clip stays', () => {
    const before = { picture: lineAt(2), motion: still(1, -3) };
    const after = { picture: lineAt(8), motion: still(1, 3) };
    expect(smoothed(lineAt(5), before, after).rgb).toEqual(lineAt(5).rgb);
    // Without the motion it would be gone.
    const unmoved = smoothed(lineAt(5), { ...before, motion: still() }, { ...after, motion: still() });
    expect(unmoved.rgb).toEqual(dark.rgb);
  });

  it('takes what lies between pixels in its shares', () => {
    // Half of a pixel beside the line it is half as light.
    const half = { picture: lineAt(5), motion: still(1, 0.5) };
    expect(smoothed(lineAt(5), half, half).rgb[3 * 5]).toBe(128);
  });

  it('leaves what a neighbour does not show as it is', () => {
    const unseen = { picture: dark, motion: still(0) };
    expect(smoothed(lineAt(5), unseen, { picture: dark, motion: still() }).rgb).toEqual(lineAt(5).rgb);
  });
});
