import { describe, expect, test } from 'vitest';
import { meanValue } from '../metrics/mean.ts';
import { warpError } from '../metrics/warp-error.ts';
import { defaultSample, renderSampleFrame, toPixels, toScene } from './sample-frame.ts';
import { sampleMotion, sampleMotions } from './sample-motion.ts';

const wide = { ...defaultSample, width: 160, height: 96 };

describe('renderSampleFrame', () => {
  test.each([false, true])('is the same every time, hard or not (%s)', (hard) => {
    const options = { ...wide, hard };
    expect(renderSampleFrame(3, options)).toEqual(renderSampleFrame(3, options));
    expect(renderSampleFrame(4, options).rgb).not.toEqual(renderSampleFrame(3, options).rgb);
  });

  test('one frame is a clip', () => {
    const frame = renderSampleFrame(0, { ...defaultSample, frames: 1 });
    expect(frame.rgb.some((value) => value !== 0)).toBe(true);
    expect([...sampleMotions({ ...defaultSample, frames: 1 })]).toEqual([]);
  });
});

describe('sampleMotion', () => {
  test('along it the clip hardly changes; standing still it changes five times as much', () => {
    const [frame, next] = [renderSampleFrame(5, wide), renderSampleFrame(6, wide)];
    const { flow, object } = sampleMotion(5, wide);
    const still = { ...flow, vectors: { ...flow.vectors, data: new Float32Array(2 * 160 * 96) } };
    const moved = meanValue(warpError(frame, next, flow));
    expect(moved).toBeLessThan(0.003);
    expect(meanValue(warpError(frame, next, flow, object))).toBeLessThan(0.003);
    expect(meanValue(warpError(frame, next, still))).toBeGreaterThan(5 * moved);
  });

  test('most of the picture is known, and the ball is a good part of it', () => {
    for (const { flow, object } of sampleMotions({ ...wide, frames: 4, hard: true })) {
      const share = (mask: Uint8Array) => mask.reduce((sum, value) => sum + value, 0) / mask.length;
      expect(share(flow.known)).toBeGreaterThan(0.3);
      expect(share(object)).toBeGreaterThan(0.05);
      expect(share(object)).toBeLessThan(0.5);
    }
  });

  test('scene units and pixels are each other undone', () => {
    const { x, y } = toScene(31.5, 77, wide);
    expect(toPixels(x, y, wide)).toEqual({ x: 31.5, y: 77 });
  });
});
