import { expect, test } from 'vitest';
import { fakeEstimate, fakeReport } from '../../../test/fixtures/engines/report.ts';
import { toEstimate } from './edit-estimate.ts';

/** 8,000 forwards and 40 frames of 256 x 256 pixels in 80 + 4 + 1 seconds. */
const past = {
  ...fakeReport,
  stageSeconds: { load: 1, decode: 1, invert: 20, edit: 60, encode: 3 },
  peakMemoryBytes: 2e9,
};

test('the same work takes as long as before', () => {
  expect(toEstimate(fakeEstimate, past)).toEqual({
    frames: 40,
    unetEvaluations: 8_000,
    seconds: 85,
    peakMemoryBytes: fakeEstimate.peakMemoryBytes,
    diskBytes: 1e6,
    fits: true,
    advice: null,
  });
});

test('more work and larger pictures take longer, in proportion', () => {
  const work = {
    ...fakeEstimate,
    frames: 80,
    workingSize: { width: 512, height: 256 },
    unetEvaluations: { inversion: 8_000, sampling: 8_000 },
  };
  expect(toEstimate(work, past).seconds).toBe(1 + 2 * (160 + 8));
});

test('the very first edit has an estimate, by the trial of the device', () => {
  expect(toEstimate(fakeEstimate, null)).toMatchObject({
    seconds: fakeEstimate.seconds,
    fits: true,
  });
});

test('what the engine has measured of earlier edits is believed more than their reports', () => {
  expect(toEstimate({ ...fakeEstimate, isThroughputMeasured: true }, past).seconds).toBe(fakeEstimate.seconds);
});

test('an edit without a forward says nothing about the speed', () => {
  const nothing = { ...past, unetEvaluations: { inversion: 0, sampling: 0 } };
  expect(toEstimate(fakeEstimate, nothing).seconds).toBe(fakeEstimate.seconds);
});

test('what does not fit comes with the reason and what to do', () => {
  const refusal = { code: 'disk-full', message: 'It is too long.', hint: 'Cut it.' } as const;
  expect(toEstimate({ ...fakeEstimate, refusal }, past)).toMatchObject({
    fits: false,
    advice: 'It is too long. Cut it.',
  });
});

test('an edit of hours comes with advice', () => {
  const work = { ...fakeEstimate, unetEvaluations: { inversion: 0, sampling: 1e6 } };
  expect(toEstimate(work, past)).toMatchObject({
    fits: true,
    advice: 'A shorter part of the clip, a smaller size or fewer steps take less time.',
  });
});
