// The algorithm on a fake network: who is edited when, from which tokens, whatever the sizes, and that nothing crosses a
// cut.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeDenoiser } from '../../../test/describe-denoiser.ts';
import {
  clipOf,
  editOf,
  latentDims,
  runSampler,
  samplerOptions,
  sceneOf,
  schedule,
  steps,
  type Chosen,
  type Clip,
} from '../../../test/edited-clip.ts';
import { FakeDenoiser, flatBranches } from '../../../test/fake-denoiser.ts';
import { generate, randomTensor } from '../../../test/run-graph.ts';
import { stepDdim } from '../diffusion/ddim.ts';
import { guide } from '../diffusion/guidance.ts';
import { evaluationsOf, noInjection, type Pass } from '../nets/pass.ts';
import { sliceRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { predictionOf, type PassInputs, type PassOutputs } from './denoiser.ts';
import { InMemoryLatents } from './in-memory-latents.ts';
import { sample } from './sampler.ts';
import { scenesOf } from './scenes.ts';
import { samplingPasses } from './step-passes.ts';

interface Setting extends Chosen {
  readonly frames: number;
  readonly cuts: readonly number[];
}

const usual: Setting = {
  frames: 9,
  cuts: [],
  sourceMode: 'cached',
  propagation: 'paper',
  interval: 3,
  chunkSize: 3,
  maxLatents: 9,
  extendedLimit: 4,
  guidance: 2,
  frameGuidance: 'own',
};

const settings: fc.Arbitrary<Setting> = fc
  .record({
    frames: fc.integer({ min: 1, max: 23 }),
    interval: fc.integer({ min: 1, max: 9 }),
    chunkSize: fc.integer({ min: 1, max: 8 }),
    maxLatents: fc.integer({ min: 1, max: 24 }),
    extendedLimit: fc.integer({ min: 1, max: 8 }),
    cuts: fc.uniqueArray(fc.integer({ min: 1, max: 22 }), { maxLength: 3 }),
    guidance: fc.constantFrom(1, 2),
    frameGuidance: fc.constantFrom('own', 'propagated'),
    sourceMode: fc.constantFrom('cached', 'recomputed', 'none'),
    propagation: fc.constantFrom('paper', 'reference'),
  })
  .map(({ cuts, propagation, sourceMode, ...rest }) => {
    // What is cached are the neighbours of the paper's rule; the reference's knows no cuts.
    const rule = sourceMode === 'recomputed' ? propagation : 'paper';
    const inside = cuts.filter((cut) => cut < rest.frames).sort((a, b) => a - b);
    return { ...rest, sourceMode, propagation: rule, cuts: rule === 'reference' ? [] : inside };
  });

const clipFor = ({ frames, interval, cuts }: Setting): Clip => clipOf(frames, interval, cuts);
const modes = ['cached', 'recomputed', 'none'] as const;

describe('a sampling step', () => {
  it('advances every frame once, in passes within their limits', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const denoiser = new FakeDenoiser();
        const options = await samplerOptions(clipFor(setting), setting, denoiser);
        let finished = 0;
        for await (const { step } of sample(options)) {
          finished++;
          expect(step).toBe(finished - 1);
          // The stores take turns: after step n they have been written ceil and floor of n/2 times.
          for (const [store, times] of [
            [options.next, Math.ceil(finished / 2)],
            [options.latents, Math.floor(finished / 2)],
          ] as const) {
            const expected = times === 0 ? [] : Array<number>(setting.frames).fill(times);
            expect([...store.writes.values()]).toEqual(expected);
          }
        }
        expect(finished).toBe(steps);
        for (const { pass, frames } of denoiser.passes) {
          if (pass.attention === 'extended') {
            expect(frames).toBeLessThanOrEqual(setting.extendedLimit);
            continue;
          }
          expect(frames).toBeLessThanOrEqual(setting.chunkSize);
          if (frames > 1) expect(evaluationsOf(pass, frames)).toBeLessThanOrEqual(setting.maxLatents);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('gives the same result for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipFor(setting);
        const whole = await editOf(clip, { ...setting, chunkSize: setting.frames, maxLatents: Infinity });
        expect(await editOf(clip, setting)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves every scene what it is alone: nothing crosses a cut', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const clip = clipFor(setting);
        const whole = await editOf(clip, setting);
        for (const scene of clip.scenes) {
          const alone = await editOf(sceneOf(clip, scene), setting);
          expect(alone).toEqual(sliceRows(whole, scene.start, scene.end));
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each(['cached', 'recomputed'] as const)(
    'lets what would be scenes see each other without a cut: %s source',
    async (sourceMode) => {
      const setting = { ...usual, sourceMode, frames: 12, extendedLimit: 8, cuts: [6] };
      const clip = clipFor(setting);
      const uncut = await editOf({ ...clip, scenes: scenesOf(12, []) }, setting);
      const cut = await editOf(clip, setting);
      expect(sliceRows(uncut, 0, 6).data).not.toBeAllClose(sliceRows(cut, 0, 6).data, { atol: 1e-3 });
    },
  );

  it('by the reference rule knows no cuts', async () => {
    const setting = { ...usual, sourceMode: 'recomputed', propagation: 'reference', cuts: [2] } as const;
    const options = await samplerOptions(clipFor(setting), setting);
    await expect(runSampler(options)).rejects.toThrow('one scene, got 2');
  });

  it.each(modes)('yields where the edit stands, and goes on from there: %s', async (sourceMode) => {
    const setting = { ...usual, sourceMode, cuts: [5] };
    const clip = clipFor(setting);
    const whole = await editOf(clip, setting);
    const options = await samplerOptions(clip, setting);
    const walk = sample(options);
    const first = await walk.next();
    expect(first.value).toMatchObject({ step: 0, steps, timestep: schedule.timesteps[0] });
    await walk.return();
    // After one step the latents are in what was the next store.
    const { latents, next, ...rest } = options;
    expect(await runSampler({ ...rest, startStep: 1, latents: next, next: latents })).toEqual(whole);
  });

  it('of a single frame equals editing it alone', async () => {
    const single = { ...usual, frames: 1, interval: 8, sourceMode: 'none' } as const;
    const withoutInjection = async (setting: Setting) =>
      runSampler({ ...(await samplerOptions(clipFor(setting), setting)), injectionAt: () => noInjection });
    // The fake's attention is not what its plain prediction is: the real network is held to this in describeDenoiser.
    const [paper, reference] = await Promise.all(
      (['paper', 'reference'] as const).map((propagation) =>
        withoutInjection({ ...single, sourceMode: 'recomputed', propagation }),
      ),
    );
    const cached = await withoutInjection({ ...single, sourceMode: 'cached' });
    expect(reference).toEqual(paper);
    expect(cached.data).toBeAllClose(paper?.data ?? [], { atol: 1e-6 });
  });

  it('of a still clip gives every frame the same', async () => {
    const still = (seed: number): Tensor => {
      const one = randomTensor([1, ...latentDims], seed);
      return tensor(
        [5, ...latentDims],
        Float32Array.from({ length: 30 }, (_, i) => one.data[i % 6] ?? 0),
      );
    };
    for (const sourceMode of modes) {
      const clip = { ...clipOf(5, 2), clean: still(2), noise: still(3) };
      const result = await editOf(clip, { ...usual, sourceMode, interval: 2 });
      const first = result.data.subarray(0, 6);
      for (let frame = 1; frame < 5; frame++) {
        expect(result.data.subarray(6 * frame, 6 * frame + 6)).toBeAllClose(first, { atol: 1e-5 });
      }
    }
  });

  it('frame by frame is guidance and one DDIM step of the plain prediction', async () => {
    const setting = { ...usual, frames: 3, sourceMode: 'none' } as const;
    const clip = clipFor(setting);
    const options = await samplerOptions(clip, setting);
    const first = await sample(options).next();
    const [timestep = 0] = schedule.timesteps;
    const outputs = await new FakeDenoiser().run(
      samplingPasses({ sourceMode: 'none', injection: noInjection, guided: true, frameGuidance: 'own' }).frames,
      { latents: { edited: clip.noise }, timestep, conditioning: flatBranches },
    );
    const prediction = guide(predictionOf(outputs, 'negative'), predictionOf(outputs, 'target'), 2);
    const after = await first.value?.latents.read([0, 1, 2]);
    expect(after).toEqual(stepDdim(clip.noise, prediction, timestep, schedule));
    expect(options.denoiser.passes.every(({ pass }) => pass.attention === 'self')).toBe(true);
  });

  it.each(modes)('that gives no number is an error, not a black frame: %s', async (sourceMode) => {
    class Overflowing extends FakeDenoiser {
      override async run(pass: Pass, inputs: PassInputs): Promise<PassOutputs> {
        const outputs = await super.run(pass, inputs);
        const { target } = outputs.prediction;
        if (target === undefined) return outputs;
        return { ...outputs, prediction: { target: { ...target, data: target.data.map(() => NaN) } } };
      }
    }
    const setting = { ...usual, sourceMode, guidance: 1 };
    const options = await samplerOptions(clipFor(setting), setting, new Overflowing());
    await expect(runSampler(options)).rejects.toMatchObject({
      code: 'result-invalid',
      message: expect.stringContaining(`sampling at timestep ${schedule.timesteps[0] ?? ''}`) as string,
    });
  });
});

describe('a cached source', () => {
  it.each(['own', 'propagated'] as const)('runs the branches that it needs: guidance %s', async (frameGuidance) => {
    const setting = { ...usual, frames: 6, chunkSize: 6, maxLatents: 18, frameGuidance };
    const denoiser = new FakeDenoiser();
    const options = await samplerOptions(clipFor(setting), setting, denoiser);
    // Guidance in the first two steps of three; features of the source in these, too.
    await runSampler({ ...options, guidanceAt: (step) => (step < 2 ? 2 : 1) });
    const branchesOf = (attention: Pass['attention']) =>
      denoiser.passes.filter(({ pass }) => pass.attention === attention).map(({ pass }) => pass.branches.join(' '));
    const guided = 'source negative target';
    expect(branchesOf('extended')).toEqual([guided, guided, 'target']);
    const between = branchesOf('propagated');
    expect(new Set(between.slice(0, -1))).toEqual(new Set([frameGuidance === 'own' ? 'negative target' : 'target']));
    expect(between.at(-1)).toBe('target');
  });

  it('of a clip of keyframes alone reads no correspondences', async () => {
    const setting = { ...usual, frames: 5, interval: 1, extendedLimit: 8, frameGuidance: 'propagated' } as const;
    const options = await samplerOptions(clipFor(setting), setting);
    const refuse = () => Promise.reject(new Error('touched'));
    const correspondences = { read: refuse, write: refuse };
    const result = await runSampler({
      ...options,
      source: { ...options.source, mode: 'cached', correspondences },
    });
    expect(result).toEqual(await editOf(clipFor(setting), setting));
  });

  it('propagates guidance as each frame has it where it is the same for all', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        // The fake's branches differ by the means of their texts, on every frame and position.
        const clip = clipFor(setting);
        const chosen = { ...setting, sourceMode: 'cached', propagation: 'paper', guidance: 3 } as const;
        const own = await editOf(clip, { ...chosen, frameGuidance: 'own' });
        const propagated = await editOf(clip, { ...chosen, frameGuidance: 'propagated' });
        expect(propagated.data).toBeAllClose(own.data, { atol: 1e-4 });
      }),
      { numRuns: 30 },
    );
  });

  it('propagates guidance from those keyframes that the frame takes its tokens from', async () => {
    class Uneven extends FakeDenoiser {
      override async run(pass: Pass, inputs: PassInputs): Promise<PassOutputs> {
        const outputs = await super.run(pass, inputs);
        const { target, negative } = outputs.prediction;
        if (pass.attention !== 'extended' || target === undefined || negative === undefined) return outputs;
        // Guidance that is another on every keyframe: 1, 2, ...
        const uneven = generate(target.dims, (k = 0) => -1 - k);
        const moved = { ...target, data: target.data.map((x, i) => x + (uneven.data[i] ?? 0)) };
        return { ...outputs, prediction: { target, negative: moved } };
      }
    }
    // Keyframes 0 and 4: frames after the last take all from it, so their guidance is 2.
    const clip: Clip = { ...clipOf(6, 4), keyframesAt: () => [0, 4] };
    const chosen = { ...usual, interval: 4, frameGuidance: 'propagated' } as const;
    const options = await samplerOptions(clip, chosen, new Uneven());
    const unguided = await samplerOptions(clip, { ...chosen, guidance: 1 });
    const [guided, plain] = await Promise.all(
      [options, unguided].map(async (each) => {
        const first = await sample(each).next();
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
});

describe('latents in memory', () => {
  it('are a copy of what they were made from', async () => {
    const original = randomTensor([2, ...latentDims], 1);
    const store = new InMemoryLatents(original);
    await store.write(0, tensor(original.dims));
    expect(original).toEqual(randomTensor([2, ...latentDims], 1));
    expect((await store.read([1])).data).toEqual(new Float32Array(6));
  });
});

describeDenoiser('the fake', () =>
  Promise.resolve({
    denoiser: new FakeDenoiser(),
    latentDims,
    tokenDims: [2, 3],
    release: () => Promise.resolve(),
  }),
);
