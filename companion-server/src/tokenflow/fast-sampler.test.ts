// Recording and sampling of the fast schedule on a fake network: who is edited when, from which tokens, whatever the
// sizes, and that nothing crosses a cut.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFastDenoiser } from '../../../test/describe-fast-denoiser.ts';
import { FakeFastDenoiser } from '../../../test/fake-fast-denoiser.ts';
import { generate } from '../../../test/run-graph.ts';
import { stepDdim } from '../diffusion/ddim.ts';
import { sliceRows, tensor } from '../tensor/tensor.ts';
import type { JointInput } from './fast-denoiser.ts';
import { sampleFast } from './fast-sampler.ts';
import { noInjection } from './injection.ts';
import { scenesOf } from './scenes.ts';
import {
  latentDims,
  schedule,
  steps,
  settings,
  clipOf,
  sceneOf,
  optionsFor,
  run,
  editOf,
  type Setting,
  type Clip,
} from '../../../test/fast-clips.ts';

describe('a sampling step', () => {
  it('advances every frame once, in chunks and joint passes within their limits', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const denoiser = new FakeFastDenoiser();
        const options = await optionsFor(clipOf(setting), setting, denoiser);
        let finished = 0;
        for await (const { step } of sampleFast(options)) {
          finished++;
          expect(step).toBe(finished - 1);
          // The stores take turns: after step n they have been written ceil and floor of n/2 times.
          for (const [store, times] of [
            [options.spare, Math.ceil(finished / 2)],
            [options.latents, Math.floor(finished / 2)],
          ] as const) {
            const expected = times === 0 ? [] : Array<number>(setting.frames).fill(times);
            expect([...store.writes.values()]).toEqual(expected);
          }
        }
        expect(finished).toBe(steps);
        const { carried, jointly } = denoiser;
        expect(Math.max(0, ...carried.map(({ frames }) => frames))).toBeLessThanOrEqual(setting.chunkSize);
        expect(Math.max(0, ...jointly.map(({ keyframes }) => keyframes))).toBeLessThanOrEqual(setting.jointLimit);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same result for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const whole = await editOf(clip, { ...setting, chunkSize: setting.frames });
        expect(await editOf(clip, setting)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves every scene what it is alone: nothing crosses a cut', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const whole = await editOf(clip, setting);
        for (const scene of clip.scenes) {
          const alone = await editOf(sceneOf(clip, scene), setting);
          expect(alone).toEqual(sliceRows(whole, scene.start, scene.end));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('without a cut lets scenes see each other', async () => {
    const setting: Setting = {
      frames: 12,
      interval: 3,
      chunkSize: 4,
      jointLimit: 8,
      cuts: [6],
      guidance: 2,
      frameGuidance: 'carried',
    };
    const clip = clipOf(setting);
    const uncut = await editOf({ ...clip, scenes: scenesOf(12, []) }, setting);
    const cut = await editOf(clip, setting);
    expect(sliceRows(uncut, 0, 6).data).not.toBeAllClose(sliceRows(cut, 0, 6).data, { atol: 1e-3 });
  });

  it('carries guidance as each frame has it where it is the same for all', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        // The fake's branches differ by the means of their texts, on every frame and position.
        const clip = clipOf(setting);
        const own = await editOf(clip, { ...setting, guidance: 3, frameGuidance: 'own' });
        const carried = await editOf(clip, { ...setting, guidance: 3, frameGuidance: 'carried' });
        expect(carried.data).toBeAllClose(own.data, { atol: 1e-4 });
      }),
      { numRuns: 30 },
    );
  });

  it('carries guidance from those keyframes that the frame takes its tokens from', async () => {
    class Uneven extends FakeFastDenoiser {
      override async editJointly(input: JointInput) {
        const { prediction, tokens } = await super.editJointly(input);
        const { target, negative } = prediction;
        // A direction that is another on every keyframe: 1, 2, ...
        const uneven = generate(target.dims, (k = 0) => -1 - k);
        const moved = { ...target, data: target.data.map((x, i) => x + (uneven.data[i] ?? 0)) };
        return { prediction: { target, negative: negative && moved }, tokens };
      }
    }
    // Keyframes 0 and 4: frames after the last take all from it, so their direction is 2.
    const clip: Clip = {
      ...clipOf({
        frames: 6,
        interval: 4,
        chunkSize: 4,
        jointLimit: 4,
        cuts: [],
        guidance: 2,
        frameGuidance: 'carried',
      }),
      keyframesAt: () => [0, 4],
    };
    const chosen = { chunkSize: 3, jointLimit: 4, guidance: 2, frameGuidance: 'carried' } as const;
    const options = await optionsFor(clip, chosen, new Uneven());
    const unguided = await optionsFor(clip, { ...chosen, guidance: 1 });
    const [guided, plain] = await Promise.all(
      [options, unguided].map(async (each) => {
        const first = await sampleFast(each).next();
        return first.value?.latents.read([2, 5]) ?? Promise.reject(new Error('no step'));
      }),
    );
    const [t = 0] = schedule.timesteps;
    const weightOfPrediction = stepDdim(tensor([1]), tensor([1], Float32Array.of(1)), t, schedule).data[0] ?? NaN;
    const moved = Array.from(guided?.data ?? [], (x, i) => (x - (plain?.data[i] ?? NaN)) / weightOfPrediction);
    const halfWay = 1 + 1 / (1 + Math.exp(-0.5));
    const expected = [...Array<number>(6).fill(halfWay), ...Array<number>(6).fill(2)];
    expect(moved).toBeAllClose(expected, { atol: 1e-4 });
  });

  it.each(['own', 'carried'] as const)('runs the branches that it needs: %s', async (frameGuidance) => {
    const setting: Setting = {
      frames: 6,
      interval: 3,
      chunkSize: 6,
      jointLimit: 4,
      cuts: [],
      guidance: 2,
      frameGuidance,
    };
    const denoiser = new FakeFastDenoiser();
    const options = await optionsFor(clipOf(setting), setting, denoiser);
    // Guidance in the first two steps of three; features of the source in these, too.
    await run({ ...options, guidanceAt: (step) => (step < 2 ? 2 : 1) });
    expect(denoiser.jointly.map(({ guided }) => guided)).toEqual([true, true, false]);
    expect(denoiser.jointly.map(({ hasSource }) => hasSource)).toEqual([true, true, false]);
    const guidedBranches = frameGuidance === 'own' ? 2 : 1;
    expect(new Set(denoiser.carried.slice(0, -1).map(({ branches }) => branches))).toEqual(new Set([guidedBranches]));
    expect(denoiser.carried.at(-1)?.branches).toBe(1);
  });

  it('of a clip of keyframes alone reads no record', async () => {
    const setting: Setting = {
      frames: 5,
      interval: 1,
      chunkSize: 2,
      jointLimit: 8,
      cuts: [],
      guidance: 2,
      frameGuidance: 'carried',
    };
    const options = await optionsFor(clipOf(setting), setting);
    const refuse = () => Promise.reject(new Error('touched'));
    const result = await run({ ...options, records: { read: refuse, write: refuse } });
    expect(result).toEqual(await editOf(clipOf(setting), setting));
  });

  it('yields where the edit stands, and goes on from there', async () => {
    const setting: Setting = {
      frames: 9,
      interval: 4,
      chunkSize: 2,
      jointLimit: 4,
      cuts: [5],
      guidance: 2,
      frameGuidance: 'carried',
    };
    const clip = clipOf(setting);
    const whole = await editOf(clip, setting);
    const options = await optionsFor(clip, setting);
    const walk = sampleFast(options);
    const first = await walk.next();
    expect(first.value).toMatchObject({ step: 0, steps, timestep: schedule.timesteps[0] });
    await walk.return();
    // After one step the latents are in what was the spare.
    const { latents, spare, ...rest } = options;
    const result = await run({ ...rest, startStep: 1, latents: spare, spare: latents });
    expect(result).toEqual(whole);
  });

  it('that gives no number is an error, not a black frame', async () => {
    class Overflowing extends FakeFastDenoiser {
      override async editJointly(input: JointInput) {
        const { prediction, tokens } = await super.editJointly(input);
        const target = { ...prediction.target, data: prediction.target.data.map(() => NaN) };
        return { prediction: { ...prediction, target }, tokens };
      }
    }
    const setting: Setting = {
      frames: 4,
      interval: 2,
      chunkSize: 2,
      jointLimit: 4,
      cuts: [],
      guidance: 1,
      frameGuidance: 'own',
    };
    const options = await optionsFor(clipOf(setting), setting, new Overflowing());
    await expect(run({ ...options, thresholds: noInjection })).rejects.toMatchObject({
      code: 'result-invalid',
    });
  });
});

describeFastDenoiser('the fake', () =>
  Promise.resolve({
    denoiser: new FakeFastDenoiser(),
    latentDims,
    contextDims: [2, 3],
    release: () => Promise.resolve(),
  }),
);
