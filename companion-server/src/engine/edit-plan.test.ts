import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import type { ClipInfo } from '../media/clip-info.ts';
import { chooseSettings, type ChosenSettings } from './edit-defaults.ts';
import { countEvaluations, guidanceAt, planEdit } from './edit-plan.ts';
import { noSavings } from './fast-savings.ts';
import type { Model } from './model.ts';

/** What a plan reads of a clip and of a model; the rest is left out. */
function clipOf(frameCount: number, width: number, height: number): ClipInfo {
  const size = { width, height };
  const frameRate = { numerator: 25, denominator: 1 };
  return { frameCount, frameRate, durationSeconds: frameCount / 25, displaySize: size } as ClipInfo;
}
const unet = { blockChannels: [4, 8, 8, 8], layersPerBlock: 2, hasAttention: [true, true, true, false] };
const model = {
  unet,
  vae: { downscale: 8 },
  sizeMultiple: 64,
  trainingSide: 512,
} as unknown as Model;

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

describe('what is computed at a time', () => {
  it('is bounded whatever the size of the clip', () => {
    const sides = fc.integer({ min: 16, max: 4096 });
    const sizes = fc.option(
      fc.record({ width: fc.integer({ min: 64, max: 2048 }), height: fc.integer({ min: 64, max: 2048 }) }),
    );
    fc.assert(
      fc.property(sides, sides, sizes, fc.integer({ min: 1, max: 5000 }), (width, height, size, frames) => {
        const plan = planEdit(clipOf(frames, width, height), model, settingsOf({ size }));
        const { latentSize, chunkSize, vaeChunkSize, jointLimit } = plan;
        const positions = latentSize.height * latentSize.width;
        for (const count of [chunkSize, vaeChunkSize, jointLimit]) {
          expect(Number.isInteger(count) && count >= 1 && count <= 16).toBe(true);
        }
        if (chunkSize > 1) expect(chunkSize * positions).toBeLessThanOrEqual(16 * 1024);
        expect(jointLimit).toBeGreaterThanOrEqual(4);
        expect(latentSize.height % 8).toBe(0);
        expect(latentSize.width % 8).toBe(0);
        expect(plan.keyframeCount).toBe(Math.ceil(frames / 8));
      }),
    );
  });
});

describe('the work that is planned', () => {
  const plan = (settings: ChosenSettings, frames = 24) => planEdit(clipOf(frames, 512, 512), model, settings);

  it('of the reference counts three branches of every frame and keyframe', () => {
    const settings = settingsOf({ schedule: 'reference', steps: 10, inversionSteps: 20 });
    expect(countEvaluations(plan(settings), settings, 20)).toEqual({
      inversion: 480,
      sampling: 10 * 3 * (24 + 3),
    });
  });

  it('counts keyframes again that only take part in the attention of others', () => {
    const settings = settingsOf({ schedule: 'reference', steps: 1, inversionSteps: 1, keyframeInterval: 1 });
    const { jointLimit } = plan(settings);
    const few = countEvaluations(plan(settings, jointLimit), settings, 0).sampling;
    expect(few).toBe(3 * 2 * jointLimit);
    const more = countEvaluations(plan(settings, 10 * jointLimit), settings, 0).sampling;
    expect(more).toBeGreaterThan(3 * 2 * 10 * jointLimit);
  });

  it('counts the source frame by frame only where something of it is injected', () => {
    const settings = settingsOf({ steps: 10, propagation: 'per-frame', strength: 0.5 });
    expect(countEvaluations(plan(settings), settings, 0).sampling).toBe(24 * (8 * 3 + 2 * 2));
    const none = settingsOf({ steps: 10, propagation: 'per-frame', technique: 'none' });
    expect(countEvaluations(plan(none), none, 0).sampling).toBe(24 * 10 * 2);
  });

  it('of the fast schedule counts the source on keyframes alone, and only where it is injected', () => {
    const settings = settingsOf({ steps: 10, inversionSteps: 10, strength: 0.5 });
    // 3 keyframes of 24 frames: guided, and with features of the source, for eight steps.
    expect(countEvaluations(plan(settings), settings, 10)).toEqual({
      inversion: 240,
      sampling: 3 * (8 * 3 + 2 * 1) + 10 * 21,
    });
    const own = planEdit(clipOf(24, 512, 512), model, settings, noSavings);
    expect(countEvaluations(own, settings, 0).sampling).toBe(3 * (8 * 3 + 2 * 2) + 10 * 2 * 21);
  });

  it('of a preview is that of its keyframes, in half of the steps', () => {
    const settings = settingsOf({ steps: 10, preview: true });
    const planned = plan(settings);
    expect(planned).toMatchObject({ frameCount: 3, keyframeCount: 3, recordedTokens: null });
    expect(planned.frames.map((frame) => Math.floor(frame / 8))).toEqual([0, 1, 2]);
    expect(countEvaluations(planned, settings, settings.inversionSteps)).toEqual({
      inversion: 3 * 5,
      sampling: 3 * (4 * 3 + 1 * 1),
    });
  });

  it('of SDEdit begins where its strength says', () => {
    const settings = settingsOf({
      ...defaultSettings('sdedit'),
      schedule: 'reference',
      steps: 10,
      strength: 0.4,
      guidance: 1,
      inversionSteps: 10,
    });
    const planned = plan(settings);
    expect(planned.startStep).toBe(6);
    expect(countEvaluations(planned, settings, 4).sampling).toBe(4 * 3 * 27);
  });
});

describe('guidance', () => {
  const guidedSteps = (change: Partial<ChosenSettings>) => {
    const settings = settingsOf({ guidance: 5, ...change });
    const plan = planEdit(clipOf(24, 512, 512), model, settings);
    const scales = Array.from({ length: settings.steps - plan.startStep }, (_, i) =>
      guidanceAt(plan.startStep + i, settings, plan),
    );
    const guided = scales.filter((scale) => scale === 5).length;
    expect(scales).toEqual(scales.map((_, i) => (i < guided ? 5 : 1)));
    return [guided, scales.length];
  };

  it('of the fast schedule ends after four fifths of the steps', () => {
    expect(guidedSteps({ steps: 12 })).toEqual([9, 12]);
    expect(guidedSteps({ steps: 12, propagation: 'per-frame' })).toEqual([9, 12]);
    expect(guidedSteps({ steps: 1 })).toEqual([1, 1]);
  });

  it('of SDEdit ends after four fifths of the steps that it takes', () => {
    expect(guidedSteps({ technique: 'sdedit', steps: 20, strength: 0.5 })).toEqual([8, 10]);
    expect(guidedSteps({ technique: 'sdedit', steps: 20, strength: 0.05 })).toEqual([1, 1]);
  });

  it('of the reference never ends', () => {
    expect(guidedSteps({ schedule: 'reference', steps: 50 })).toEqual([50, 50]);
  });
});
