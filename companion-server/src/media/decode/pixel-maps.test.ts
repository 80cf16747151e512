import { expect, test } from 'vitest';
import { differenceMap, flickerMap } from './pixel-maps.ts';

const pixel = (red: number, green: number, blue: number) => Uint8Array.of(red, green, blue);
const black = pixel(0, 0, 0);
const grey = pixel(100, 100, 100);

test('equal frames have a black difference; others are bright where they differ', () => {
  expect([...differenceMap(grey, grey)]).toEqual([0, 0, 0]);
  expect([...differenceMap(grey, pixel(130, 100, 90))]).toEqual([60, 0, 20]);
  expect([...differenceMap(black, pixel(255, 1, 0))]).toEqual([255, 2, 0]);
});

test('a change that the original makes too is no flicker; one of the edit alone is', () => {
  const moves = { before: black, now: grey };
  const stands = { before: grey, now: grey };
  const [red, green, blue] = flickerMap(moves, moves);
  expect([red, green]).toEqual([blue, blue]);
  const [hot = 0, , cold = 0] = flickerMap(stands, moves);
  expect(hot).toBeGreaterThan(200);
  expect(cold).toBeLessThan(60);
});
