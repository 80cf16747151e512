import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { chooseSettings, type ChosenSettings } from './edit-defaults.ts';
import { planEdit } from './edit-plan.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import { tokensPerBlock, tokenValues } from '../../nets/token-counts.ts';
import { evenDepths } from '../../nets/transformer-depths.ts';
import type { ModelShape } from '../model/model.ts';

/** What a plan reads of a clip and of a model; the rest is left out. */
function clipOf(frameCount: number, width: number, height: number): ClipInfo {
  const size = { width, height };
  const frameRate = { numerator: 25, denominator: 1 };
  return { frameCount, frameRate, durationSeconds: frameCount / 25, displaySize: size } as ClipInfo;
}
const levels = {
  blockChannels: [4, 8, 8, 8],
  transformerDepths: evenDepths(
    [true, true, true, false].map((hasAttention) => ({ hasAttention, depth: 1 })),
    2,
  ),
};
const unet = {
  tokensPerBlock: (size: LatentSize) => tokensPerBlock(levels, size),
  tokenValues: (size: LatentSize) => tokenValues(levels, size),
};
const model = {
  unet,
  vae: { latents: { downscale: 8 } },
  sizeMultiple: 64,
  trainingSide: 512,
} as unknown as ModelShape;

function settingsOf(change: Partial<ChosenSettings> = {}): ChosenSettings {
  const settings = { ...defaultSettings(), prompt: 'a cat', ...change };
  return chooseSettings(settings, { guidance: 7.5, steps: 50 });
}

const rangeOf = (startSeconds: number | null, endSeconds: number | null) => {
  const { startFrame, endFrame, frameCount } = planEdit(
    clipOf(100, 640, 360),
    model,
    settingsOf({ startSeconds, endSeconds }),
  );
  expect(frameCount).toBe(endFrame - startFrame);
  return [startFrame, endFrame];
};

describe('the range of an edit', () => {
  it('is the whole clip unless it is told otherwise', () => {
    expect(rangeOf(null, null)).toEqual([0, 100]);
    expect(rangeOf(1, null)).toEqual([25, 100]);
    expect(rangeOf(null, 2)).toEqual([0, 50]);
    expect(rangeOf(1.02, 2.03)).toEqual([26, 51]);
  });

  it('ends with the clip', () => {
    expect(rangeOf(3, 60)).toEqual([75, 100]);
  });

  it('must hold a frame', () => {
    expect(() => rangeOf(4, null)).toThrow('The range from 4 s to 4 s holds no frame of the clip, which lasts 4.00 s.');
    expect(() => rangeOf(1, 1.01)).toThrow(expect.objectContaining({ code: 'invalid-request' }) as Error);
  });
});

describe('an edit with given keyframes', () => {
  const given = (...frames: number[]) => ({ keyframes: frames.map((frame) => ({ frame, sha256: 'a'.repeat(64) })) });
  const plan = (change: Partial<ChosenSettings>) => planEdit(clipOf(100, 640, 360), model, settingsOf(change));

  it('takes the last steps only', () => {
    expect(plan(given(3)).startStep).toBe(35);
    expect(plan({ ...given(3), technique: 'sdedit', strength: 0.1 }).startStep).toBe(45);
    expect(plan({}).startStep).toBe(0);
  });

  it('shows those that lie in its range in a preview, too', () => {
    const { frames } = plan({ ...given(3, 50, 99), preview: true, startSeconds: 0, endSeconds: 3 });
    expect(frames).toEqual(expect.arrayContaining([3, 50]));
    expect(frames.every((frame, i) => frame < 75 && frame > (frames[i - 1] ?? -1))).toBe(true);
  });
});

describe('what is computed at a time', () => {
  it('is bounded whatever the size of the clip', () => {
    const sides = fc.integer({ min: 16, max: 4096 });
    const sizes = fc.option(
      fc.record({ width: fc.integer({ min: 64, max: 2048 }), height: fc.integer({ min: 64, max: 2048 }) }),
    );
    fc.assert(
      fc.property(sides, sides, sizes, fc.integer({ min: 1, max: 5000 }), (width, height, size, frames) => {
        const plan = planEdit(clipOf(frames, width, height), model, settingsOf({ size }));
        const { latentSize, chunkSize, vaeChunkSize, extendedLimit } = plan;
        const positions = latentSize.height * latentSize.width;
        for (const count of [chunkSize, vaeChunkSize, extendedLimit]) {
          expect(Number.isInteger(count) && count >= 1 && count <= 16).toBe(true);
        }
        if (chunkSize > 1) expect(chunkSize * positions).toBeLessThanOrEqual(16 * 1024);
        expect(extendedLimit).toBeGreaterThanOrEqual(4);
        expect(latentSize.height % 8).toBe(0);
        expect(latentSize.width % 8).toBe(0);
        expect(plan.keyframeCount).toBe(Math.ceil(frames / 8));
      }),
    );
  });

  it('is fewer keyframes together where a network has more tokens, and wider ones', () => {
    const limitOf = (blockChannels: readonly number[], depths: readonly number[]) => {
      const transformerDepths = evenDepths(
        depths.map((depth) => ({ hasAttention: depth > 0, depth: Math.max(1, depth) })),
        2,
      );
      const network = { blockChannels, transformerDepths };
      const unetOf = {
        tokensPerBlock: (size: LatentSize) => tokensPerBlock(network, size),
        tokenValues: (size: LatentSize) => tokenValues(network, size),
      };
      const known = { ...model, unet: unetOf } as unknown as ModelShape;
      return planEdit(clipOf(100, 512, 512), known, settingsOf()).extendedLimit;
    };
    expect(limitOf([320, 640, 1280, 1280], [1, 1, 1, 0])).toBe(12);
    expect(limitOf([320, 640, 1280], [0, 2, 10])).toBe(5);
  });
});
