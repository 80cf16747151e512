import { expect, test } from 'vitest';
import { calibrationNotices } from './edit-report.ts';

const settings = { initialNoise: 'inversion', inversionSteps: 24 } as const;
const foundAgain = (reconstructionPsnr: number | null, inversionSteps: number) => ({
  cuts: [],
  damage: null,
  reconstructionPsnr,
  inversionSteps,
});

test('a clip that is not found again is told of, and whether more forwards would help', () => {
  const [notice, ...others] = calibrationNotices(settings, foundAgain(26.2, 24));
  expect(others).toEqual([]);
  expect(notice).toContain('found again to 26 dB only');
  expect(notice).toContain('More than 24 forwards per frame in its inversion do not help.');
  // At the limit no larger number was tried.
  const [atLimit] = calibrationNotices(settings, foundAgain(30, 96));
  expect(atLimit).toContain('30 dB only');
  expect(atLimit).not.toContain('do not help');
});

test('nothing is said of a clip that is found again, that was not measured, or that is not begun from', () => {
  expect(calibrationNotices(settings, foundAgain(45, 24))).toEqual([]);
  expect(calibrationNotices(settings, foundAgain(null, 24))).toEqual([]);
  expect(calibrationNotices(settings, null)).toEqual([]);
  expect(calibrationNotices({ ...settings, initialNoise: 'own' }, foundAgain(20, 24))).toEqual([]);
});
