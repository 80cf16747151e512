import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { chooseSettings, type ChosenSettings } from './edit-defaults.ts';
import { countEvaluations, guidanceAt, injectionOf, plannedPasses } from './edit-passes.ts';
import { planEdit, type EditPlan } from './edit-plan.ts';
import { techniqueNamed } from '../../techniques/list.ts';
import { noApproximations } from './approximations.ts';
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

const count = (
  plan: EditPlan,
  settings: ChosenSettings,
  inversionEvaluations: number,
  keyframeCounts?: readonly number[],
) => countEvaluations(plan, plannedPasses(plan, settings, keyframeCounts), inversionEvaluations);

describe('the work that is planned', () => {
  const plan = (settings: ChosenSettings, frames = 24) => planEdit(clipOf(frames, 512, 512), model, settings);

  it('of the reference counts three branches of every frame and keyframe', () => {
    const settings = settingsOf({ pipeline: 'reference', steps: 10, inversionSteps: 20 });
    expect(count(plan(settings), settings, 20)).toEqual({
      inversion: 480,
      sampling: 10 * 3 * (24 + 3),
    });
  });

  it('counts no negative branch where there is no guidance', () => {
    const settings = settingsOf({ pipeline: 'reference', steps: 10, inversionSteps: 20, guidance: 1 });
    expect(count(plan(settings), settings, 0).sampling).toBe(10 * 2 * (24 + 3));
  });

  it('counts keyframes again that only take part in the attention of others', () => {
    const settings = settingsOf({ pipeline: 'reference', steps: 1, inversionSteps: 1, keyframeInterval: 1 });
    const { extendedLimit } = plan(settings);
    const few = count(plan(settings, extendedLimit), settings, 0).sampling;
    expect(few).toBe(3 * 2 * extendedLimit);
    const more = count(plan(settings, 10 * extendedLimit), settings, 0).sampling;
    expect(more).toBeGreaterThan(3 * 2 * 10 * extendedLimit);
  });

  it('counts them scene by scene: keyframes of two scenes take no part in the attention of each other', () => {
    const settings = settingsOf({ steps: 1, inversionSteps: 1, keyframeInterval: 1 });
    const { extendedLimit } = plan(settings);
    const planned = plan(settings, 2 * extendedLimit);
    const whole = count(planned, settings, 0).sampling;
    const halves = count(planned, settings, 0, [extendedLimit, extendedLimit]).sampling;
    expect(halves).toBe(2 * count(plan(settings, extendedLimit), settings, 0).sampling);
    expect(whole).toBeGreaterThan(halves);
  });

  it('counts the source frame by frame only where something of it is injected', () => {
    const settings = settingsOf({ steps: 10, propagation: 'per-frame', strength: 0.5 });
    // Features of the source and guidance both end after eight steps.
    expect(count(plan(settings), settings, 0).sampling).toBe(24 * (8 * 3 + 2 * 1));
    const none = settingsOf({ steps: 10, propagation: 'per-frame', technique: 'none' });
    expect(count(plan(none), none, 0).sampling).toBe(24 * (8 * 2 + 2 * 1));
  });

  it('of the fast pipeline counts the source on keyframes alone, and only where it is injected', () => {
    const settings = settingsOf({ steps: 10, inversionSteps: 10, strength: 0.5 });
    // 3 keyframes of 24 frames: guided, and with features of the source, for eight steps.
    expect(count(plan(settings), settings, 10)).toEqual({
      inversion: 240,
      sampling: 3 * (8 * 3 + 2 * 1) + 10 * 21,
    });
    const own = planEdit(clipOf(24, 512, 512), model, settings, { approximations: noApproximations });
    expect(count(own, settings, 0).sampling).toBe(3 * (8 * 3 + 2 * 2) + 10 * 2 * 21);
  });

  it('of a preview is that of its keyframes, in half of the steps', () => {
    const settings = settingsOf({ steps: 10, preview: true });
    const planned = plan(settings);
    expect(planned).toMatchObject({ frameCount: 3, keyframeCount: 3, cachedTokens: null });
    expect(planned.frames.map((frame) => Math.floor(frame / 8))).toEqual([0, 1, 2]);
    expect(count(planned, settings, settings.inversionSteps)).toEqual({
      inversion: 3 * 5,
      sampling: 3 * (4 * 3 + 1 * 1),
    });
  });

  it('of SDEdit begins where its strength says', () => {
    const settings = settingsOf({
      ...defaultSettings('sdedit'),
      pipeline: 'reference',
      steps: 10,
      strength: 0.4,
      guideBy: 'negative',
      guidance: 7.5,
      inversionSteps: 10,
    });
    const planned = plan(settings);
    expect(planned.startStep).toBe(6);
    expect(count(planned, settings, 4).sampling).toBe(4 * 3 * 27);
  });
});

describe('what is injected', () => {
  const injectedSteps = (change: Partial<ChosenSettings>) => {
    const settings = settingsOf({ steps: 10, ...change });
    const technique = techniqueNamed(settings.technique);
    const injections = Array.from({ length: settings.steps }, (_, step) => injectionOf(step, settings, { technique }));
    const first = (count: number) => Array.from(injections, (_, step) => step < count);
    const attention = injections.filter((injection) => injection.attention).length;
    const features = injections.filter((injection) => injection.features).length;
    expect(injections.map((injection) => injection.attention)).toEqual(first(attention));
    expect(injections.map((injection) => injection.features)).toEqual(first(features));
    return { attention, features };
  };

  it('by Plug-and-Play at its usual strength is attention for half of the steps and features for eight tenths', () => {
    expect(injectedSteps({ technique: 'pnp', strength: 0.5 })).toEqual({ attention: 5, features: 8 });
  });

  it('by every other technique is nothing', () => {
    expect(injectedSteps({ technique: 'sdedit', strength: 0.5 })).toEqual({ attention: 0, features: 0 });
    expect(injectedSteps({ technique: 'none', strength: 0.5 })).toEqual({ attention: 0, features: 0 });
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

  it('of the fast pipeline ends after four fifths of the steps', () => {
    expect(guidedSteps({ steps: 12 })).toEqual([9, 12]);
    expect(guidedSteps({ steps: 12, propagation: 'per-frame' })).toEqual([9, 12]);
    expect(guidedSteps({ steps: 1 })).toEqual([1, 1]);
  });

  it('of SDEdit ends after four fifths of the steps that it takes', () => {
    expect(guidedSteps({ technique: 'sdedit', steps: 20, strength: 0.5 })).toEqual([8, 10]);
    expect(guidedSteps({ technique: 'sdedit', steps: 20, strength: 0.05 })).toEqual([1, 1]);
  });

  it('of the reference never ends', () => {
    expect(guidedSteps({ pipeline: 'reference', steps: 50 })).toEqual([50, 50]);
  });
});
