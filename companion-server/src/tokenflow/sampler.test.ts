// The algorithm on a fake network: who is edited when, from which tokens, whatever the sizes.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeDenoiser } from '../../../test/describe-denoiser.ts';
import { FakeDenoiser, flatContexts } from '../../../test/fake-denoiser.ts';
import { CountingLatents } from '../../../test/counting-latents.ts';
import { HeldLatents } from './held-latents.ts';
import { randomTensor } from '../../../test/run-graph.ts';
import { stepDdim } from '../diffusion/ddim.ts';
import { guide } from '../diffusion/guidance.ts';
import { createSchedule } from '../diffusion/schedule.ts';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import { EditError } from '../errors.ts';
import { createRandom } from '../tensor/random.ts';
import { sliceRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { noInjection } from './injection.ts';
import { invert } from './inversion.ts';
import { drawKeyframes, sampleKeyframes } from './keyframes.ts';
import { frameRange } from './latents.ts';
import { sample, type SamplerOptions } from './sampler.ts';
import { scenesOf } from './scenes.ts';

const latentDims = [2, 1, 3];
const schedule = createSchedule(parseSchedulerConfig({}), 3);
interface Setting {
  readonly frames: number;
  readonly interval: number;
  readonly chunkSize: number;
  readonly jointLimit: number;
  readonly propagation: SamplerOptions['propagation'];
}

const settings: fc.Arbitrary<Setting> = fc.record({
  frames: fc.integer({ min: 1, max: 23 }),
  interval: fc.integer({ min: 1, max: 9 }),
  chunkSize: fc.integer({ min: 1, max: 8 }),
  jointLimit: fc.integer({ min: 1, max: 8 }),
  propagation: fc.constantFrom('paper', 'reference', 'per-frame'),
});

function optionsFor({ frames, interval, ...rest }: Setting, denoiser = new FakeDenoiser()) {
  const source = new HeldLatents(randomTensor([frames, ...latentDims], 2));
  const latents = new CountingLatents(randomTensor([frames, ...latentDims], 3));
  const spare = new CountingLatents(tensor([frames, ...latentDims]));
  const keyframesAt = (step: number) => {
    const random = createRandom(7, step);
    return sampleKeyframes(frames, interval, (limit) => random.below(limit));
  };
  const fixed = {
    schedule,
    contexts: flatContexts,
    guidanceAt: () => 2,
    thresholds: noInjection,
    startStep: 0,
  };
  const stores = { source: { at: () => source }, latents, spare };
  const scenes = scenesOf(frames, []);
  return {
    ...fixed,
    ...rest,
    ...stores,
    denoiser,
    keyframesAt,
    keyframeInterval: interval,
    scenes,
  };
}

async function run(options: SamplerOptions): Promise<Tensor> {
  let latents = options.latents;
  for await (const step of sample(options)) ({ latents } = step);
  return latents.read(frameRange(0, latents.frameCount));
}

describe('a sampling step', () => {
  it('advances every frame once, in chunks and joint passes within their limits', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const options = optionsFor(setting);
        let finished = 0;
        for await (const { step } of sample(options)) {
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
        expect(finished).toBe(3);
        const { propagated, joint } = options.denoiser;
        expect(Math.max(0, ...propagated)).toBeLessThanOrEqual(setting.chunkSize);
        expect(Math.max(0, ...joint.map(({ length }) => length))).toBeLessThanOrEqual(setting.jointLimit);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same result for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (setting) => {
        const whole = await run(optionsFor({ ...setting, chunkSize: setting.frames }));
        expect(await run(optionsFor(setting))).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves every scene what it is alone: nothing crosses a cut', async () => {
    const setting = { frames: 11, interval: 3, chunkSize: 3, jointLimit: 4, propagation: 'paper' } as const;
    const options = optionsFor(setting);
    const scenes = scenesOf(11, [2, 7]);
    const keyframesAt = (step: number) => drawKeyframes(7, step, scenes, 3);
    const noise = await options.latents.read(frameRange(0, 11));
    const source = await options.source.at().read(frameRange(0, 11));
    const whole = await run({ ...options, scenes, keyframesAt });
    for (const { start, end } of scenes) {
      const sourceOfScene = new HeldLatents(sliceRows(source, start, end));
      const alone = await run({
        ...optionsFor({ ...setting, frames: end - start }),
        keyframesAt: (step) =>
          keyframesAt(step)
            .filter((k) => k >= start && k < end)
            .map((k) => k - start),
        source: { at: () => sourceOfScene },
        latents: new HeldLatents(sliceRows(noise, start, end)),
      });
      expect(alone).toEqual(sliceRows(whole, start, end));
    }
    expect(await run({ ...optionsFor(setting), keyframesAt })).not.toEqual(whole);
  });

  it('by the reference rule knows no cuts', async () => {
    const options = optionsFor({ frames: 4, interval: 2, chunkSize: 2, jointLimit: 4, propagation: 'reference' });
    await expect(run({ ...options, scenes: scenesOf(4, [2]) })).rejects.toThrow('one scene, got 2');
  });

  it('yields where the edit stands, and may begin in the middle', async () => {
    const options = optionsFor({ frames: 4, interval: 2, chunkSize: 2, jointLimit: 4, propagation: 'paper' });
    const seen = [];
    for await (const { step, steps, timestep } of sample({ ...options, startStep: 1 })) {
      seen.push([step, steps, timestep]);
    }
    expect(seen).toEqual([
      [1, 3, schedule.timesteps[1]],
      [2, 3, schedule.timesteps[2]],
    ]);
  });

  it('of a single frame equals editing it alone', async () => {
    const setting = { frames: 1, interval: 8, chunkSize: 4, jointLimit: 4 };
    const alone = await run(optionsFor({ ...setting, propagation: 'per-frame' }));
    for (const propagation of ['paper', 'reference'] as const) {
      const result = await run(optionsFor({ ...setting, propagation }));
      expect(result.data).toBeAllClose(alone.data, { atol: 1e-6 });
    }
  });

  it('of a still clip gives every frame the same', async () => {
    const options = optionsFor({ frames: 5, interval: 2, chunkSize: 3, jointLimit: 4, propagation: 'paper' });
    const still = (seed: number) => {
      const one = randomTensor([1, ...latentDims], seed);
      return tensor(
        [5, ...latentDims],
        Float32Array.from({ length: 30 }, (_, i) => one.data[i % 6] ?? 0),
      );
    };
    const source = new HeldLatents(still(2));
    const result = await run({
      ...options,
      source: { at: () => source },
      latents: new HeldLatents(still(3)),
    });
    const first = result.data.subarray(0, 6);
    for (let frame = 1; frame < 5; frame++) {
      expect(result.data.subarray(6 * frame, 6 * frame + 6)).toBeAllClose(first, { atol: 1e-6 });
    }
  });

  it('frame by frame is guidance and one DDIM step of the plain prediction', async () => {
    const options = optionsFor({ frames: 3, interval: 2, chunkSize: 2, jointLimit: 4, propagation: 'per-frame' });
    const before = options.latents.tensor;
    const first = await sample(options).next();
    const [timestep = 0] = schedule.timesteps;
    const { negative, target } = await options.denoiser.predictPerFrame({
      source: before,
      edited: before,
      timestep,
      contexts: flatContexts,
      injection: { attention: false, features: false },
    });
    const expected = stepDdim(before, guide(negative, target, 2), timestep, schedule);
    const after = await first.value?.latents.read([0, 1, 2]);
    expect(after).toEqual(expected);
    expect(options.denoiser.joint).toEqual([]);
  });

  it('that gives no number is an error, not a black frame', async () => {
    class Overflowing extends FakeDenoiser {
      override predict(latents: Tensor): Promise<Tensor> {
        return Promise.resolve({ ...latents, data: latents.data.map(() => NaN) });
      }
    }
    const setting = { frames: 2, interval: 2, chunkSize: 2, jointLimit: 4 };
    const options = optionsFor({ ...setting, propagation: 'per-frame' }, new Overflowing());
    const error: unknown = await run(options).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(EditError);
    expect(error).toMatchObject({ code: 'result-invalid' });
    expect(String(error)).toContain(`sampling at timestep ${schedule.timesteps[0] ?? ''}`);
    const inversion = invert({ ...options, context: flatContexts.source, keep: () => undefined });
    await expect(inversion.next()).rejects.toMatchObject({ code: 'result-invalid' });
  });
});

describe('inversion', () => {
  const frames = 5;
  const start = () => new HeldLatents(randomTensor([frames, ...latentDims], 3));
  const options = {
    denoiser: new FakeDenoiser(),
    schedule,
    context: flatContexts.source,
    startStep: 0,
  };

  it('walks up the timesteps and keeps the latents of those that are wanted', async () => {
    const kept = new Map<number, HeldLatents>();
    const wanted = schedule.timesteps.slice(1);
    for (const timestep of wanted) kept.set(timestep, new HeldLatents(tensor([frames, ...latentDims])));
    const latents = start();
    const after: Tensor[] = [];
    const run = invert({ ...options, latents, spare: latents, keep: (timestep) => kept.get(timestep), chunkSize: 2 });
    for await (const step of run) {
      after.push(new HeldLatents(latents.tensor).tensor);
      expect(step).toBe(after.length);
    }
    const upwards = schedule.timesteps.toReversed();
    for (const [index, timestep] of upwards.entries()) {
      expect(kept.get(timestep)?.tensor).toEqual(wanted.includes(timestep) ? after[index] : undefined);
    }
  });

  it('does not depend on the chunk size', async () => {
    const results = [];
    for (const chunkSize of [1, 2, 5, 9]) {
      const latents = start();
      const run = invert({ ...options, latents, spare: latents, keep: () => undefined, chunkSize });
      let step = await run.next();
      while (step.done !== true) step = await run.next();
      results.push(latents.tensor);
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });
});

describeDenoiser('the fake', () =>
  Promise.resolve({
    denoiser: new FakeDenoiser(),
    latentDims,
    contextDims: [2, 3],
    release: () => Promise.resolve(),
  }),
);
