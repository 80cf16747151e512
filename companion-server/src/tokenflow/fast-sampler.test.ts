// Recording and sampling of the fast schedule on a fake network: who is edited when, from which tokens, whatever the
// sizes, and that nothing crosses a cut.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFastDenoiser } from '../../../test/describe-fast-denoiser.ts';
import { flatContexts } from '../../../test/fake-denoiser.ts';
import { FakeFastDenoiser } from '../../../test/fake-fast-denoiser.ts';
import { CountingLatents } from '../../../test/counting-latents.ts';
import { HeldLatents } from './held-latents.ts';
import { MemoryRecords } from '../../../test/memory-records.ts';
import { generate, randomTensor } from '../../../test/run-graph.ts';
import { stepDdim } from '../diffusion/ddim.ts';
import { createSchedule } from '../diffusion/schedule.ts';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import { sliceRows, tensor, type Tensor } from '../tensor/tensor.ts';
import type { JointInput } from './fast-denoiser.ts';
import { sampleFast, type FastSamplerOptions, type FrameGuidance } from './fast-sampler.ts';
import { noInjection } from './injection.ts';
import { drawKeyframes } from './keyframes.ts';
import { frameRange } from './latents.ts';
import { recordSource, type Recording } from './record-source.ts';
import { scenesOf, type Scene } from './scenes.ts';

const latentDims = [2, 1, 3];
const schedule = createSchedule(parseSchedulerConfig({}), 3);
const steps = 3;
interface Setting {
  readonly frames: number;
  readonly interval: number;
  readonly chunkSize: number;
  readonly jointLimit: number;
  readonly cuts: readonly number[];
  readonly guidance: number;
  readonly frameGuidance: FrameGuidance;
}

const settings: fc.Arbitrary<Setting> = fc
  .record({
    frames: fc.integer({ min: 1, max: 23 }),
    interval: fc.integer({ min: 1, max: 9 }),
    chunkSize: fc.integer({ min: 1, max: 8 }),
    jointLimit: fc.integer({ min: 1, max: 8 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 22 }), { maxLength: 3 }),
    guidance: fc.constantFrom(1, 2),
    frameGuidance: fc.constantFrom('own', 'carried'),
  })
  .map(({ cuts, ...rest }) => ({
    ...rest,
    cuts: cuts.filter((cut) => cut < rest.frames).sort((a, b) => a - b),
  }));

interface Clip {
  readonly scenes: readonly Scene[];
  readonly keyframesAt: (step: number) => readonly number[];
  /** The clip's own latents, and those that sampling begins with. */
  readonly clean: Tensor;
  readonly noise: Tensor;
}

function clipOf({ frames, interval, cuts }: Setting): Clip {
  const scenes = scenesOf(frames, cuts);
  return {
    scenes,
    keyframesAt: (step) => drawKeyframes(7, step, scenes, interval),
    clean: randomTensor([frames, ...latentDims], 2),
    noise: randomTensor([frames, ...latentDims], 3),
  };
}

/** One scene of the clip as a clip of its own, with the same keyframes. */
function sceneOf({ keyframesAt, clean, noise }: Clip, { start, end }: Scene): Clip {
  return {
    scenes: scenesOf(end - start, []),
    keyframesAt: (step) =>
      keyframesAt(step)
        .filter((k) => k >= start && k < end)
        .map((k) => k - start),
    clean: sliceRows(clean, start, end),
    noise: sliceRows(noise, start, end),
  };
}

/** What is recorded of a clip, and where its inversion passed. */
async function recordClip(clip: Clip, chunkSize: number, denoiser = new FakeFastDenoiser()) {
  const { clean, scenes, keyframesAt } = clip;
  const store = new MemoryRecords();
  const stepAt = (timestep: number) => schedule.timesteps.indexOf(timestep);
  const recording: Recording = { store, stepAt, keyframesAt, scenes };
  const trajectory = new Map(schedule.timesteps.map((t) => [t, new HeldLatents(tensor(clean.dims))]));
  const [even, odd] = [new CountingLatents(clean), new CountingLatents(tensor(clean.dims))];
  const noise = [0, 1, 2].map(() => new HeldLatents(tensor(clean.dims)));
  const walk = recordSource({
    denoiser,
    schedule,
    context: flatContexts.source,
    chunkSize,
    recording,
    startStep: 0,
    forwardsPerStep: 2,
    latents: even,
    spare: odd,
    noiseAt: (step) => noise[step % 3] ?? even,
    keep: (timestep) => trajectory.get(timestep),
  });
  let finished = 0;
  for await (const step of walk) finished = step;
  const at = (timestep: number) => trajectory.get(timestep) ?? even;
  return { store, source: { at }, even, odd, finished };
}

interface Chosen {
  readonly chunkSize: number;
  readonly jointLimit: number;
  readonly guidance: number;
  readonly frameGuidance: FrameGuidance;
}

async function optionsFor(
  clip: Clip,
  { chunkSize, jointLimit, guidance, frameGuidance }: Chosen,
  denoiser = new FakeFastDenoiser(),
) {
  const { store, source } = await recordClip(clip, chunkSize);
  return {
    denoiser,
    schedule,
    contexts: flatContexts,
    frameGuidance,
    chunkSize,
    jointLimit,
    scenes: clip.scenes,
    keyframesAt: clip.keyframesAt,
    source,
    records: store,
    startStep: 0,
    guidanceAt: () => guidance,
    // Attention in the first of three steps, features in the first two.
    thresholds: { attention: 0.4, features: 0.7 },
    latents: new CountingLatents(clip.noise),
    spare: new CountingLatents(tensor(clip.noise.dims)),
  };
}

async function run(options: FastSamplerOptions): Promise<Tensor> {
  let latents = options.latents;
  for await (const step of sampleFast(options)) ({ latents } = step);
  return latents.read(frameRange(0, latents.frameCount));
}

const editOf = async (clip: Clip, chosen: Chosen): Promise<Tensor> => run(await optionsFor(clip, chosen));

describe('recording', () => {
  it('takes every frame up once a step, and records those that are no keyframes once', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const { store, even, odd, finished } = await recordClip(clip, setting.chunkSize);
        expect(finished).toBe(steps);
        const all = frameRange(0, setting.frames);
        for (const [writes, times] of [
          [odd.writes, 2],
          [even.writes, 1],
        ] as const) {
          expect([...writes].sort(([a], [b]) => a - b)).toEqual(all.map((frame) => [frame, times]));
        }
        for (let step = 0; step < steps; step++) {
          const keyframes = clip.keyframesAt(step);
          const expected = all.filter((frame) => !keyframes.includes(frame)).map((frame) => [frame, 1]);
          expect(store.writesOf(step)).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipOf(setting);
        const whole = await recordClip(clip, setting.frames);
        const parts = await recordClip(clip, setting.chunkSize);
        expect(parts.odd.tensor).toEqual(whole.odd.tensor);
        expect(parts.store.records).toEqual(whole.store.records);
      }),
      { numRuns: 30 },
    );
  });
});

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
