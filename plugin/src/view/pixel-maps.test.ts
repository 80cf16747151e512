import { expect, test } from 'vitest';
import { differenceMap, flickerMap } from './pixel-maps.ts';

const pixel = (red: number, green: number, blue: number) =>
  new Uint8ClampedArray([red, green, blue, 255]);
const black = pixel(0, 0, 0);
const grey = pixel(100, 100, 100);

test('equal frames have a black difference; others are bright where they differ', () => {
  expect([...differenceMap(grey, grey)]).toEqual([0, 0, 0, 255]);
  expect([...differenceMap(grey, pixel(130, 100, 100))]).toEqual([60, 0, 0, 255]);
});

test('a change that the original makes too is no flicker; one of the edit alone is', () => {
  const moving = flickerMap(grey, grey, black, black);
  expect(moving[0]).toBe(moving[2]);
  const flickering = flickerMap(grey, grey, grey, black);
  expect(flickering[0]).toBeGreaterThan(200);
  expect(flickering[2]).toBeLessThan(60);
});
