import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { generate, randomTensor } from '../../../test/run-graph.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { stepDdim } from './ddim.ts';
import { extrapolateNoise, invertStep, noiseOf } from './fixed-point-inversion.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';

const dims = [2, 3, 2, 2];
const spacings = fc.constantFrom('leading', 'trailing', 'linspace');

/** What a network says that sees this noise in the latents, in the schedule's prediction type. */
function predictionOf(latents: Tensor, noise: Tensor, t: number, schedule: Schedule): Tensor {
  const [signal, sigma] = [schedule.alphaCumprod(t), 1 - schedule.alphaCumprod(t)].map(Math.sqrt) as [number, number];
  const result = tensor(latents.dims);
  for (let i = 0; i < result.data.length; i++) {
    const [x, eps] = [latents.data[i] ?? 0, noise.data[i] ?? 0];
    const original = (x - sigma * eps) / signal;
    const said = { epsilon: eps, sample: original, v_prediction: signal * eps - sigma * original };
    result.data[i] = said[schedule.predictionType];
  }
  return result;
}

describe.each(['epsilon', 'v_prediction', 'sample'] as const)('with a network that predicts %s', (predictionType) => {
  const scheduleOf = (steps: number, timestep_spacing = 'leading') =>
    createSchedule(parseSchedulerConfig({ prediction_type: predictionType, timestep_spacing }), steps);

  it('a step up is undone by the sampling step with the same noise', () => {
    fc.assert(
      fc.property(
        spacings,
        fc.integer({ min: 2, max: 50 }),
        fc.nat(49),
        fc.nat(1000),
        (spacing, steps, position, seed) => {
          const schedule = scheduleOf(steps, spacing);
          const t = schedule.timesteps[position % steps] ?? NaN;
          const [below, noise] = [randomTensor(dims, seed), randomTensor(dims, seed + 1)];
          const above = invertStep(below, noise, t, schedule);
          const back = stepDdim(above, predictionOf(above, noise, t, schedule), t, schedule);
          // A sample far up is found by a division by the little that is left of it.
          expect(back.data).toBeAllClose(below.data, { atol: 1e-3 });
          if (predictionType !== 'sample') expect(back.data).toBeAllClose(below.data, { atol: 2e-4 });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('the noise that it sees is found in what it says', () => {
    const schedule = scheduleOf(10);
    for (const t of schedule.timesteps) {
      const [latents, noise] = [randomTensor(dims, 1), randomTensor(dims, 2)];
      const seen = noiseOf(latents, predictionOf(latents, noise, t, schedule), t, schedule);
      expect(seen.data).toBeAllClose(noise.data, { atol: 1e-4 });
    }
  });
});

describe('a step up', () => {
  const schedule = createSchedule(parseSchedulerConfig({}), 5);

  it('without noise keeps the share of the signal that is left there', () => {
    const [t = 0, below = 0] = schedule.timesteps;
    const share = Math.sqrt(schedule.alphaCumprod(t) / schedule.alphaCumprod(below));
    const latents = randomTensor(dims);
    const expected = latents.data.map((x) => share * x);
    expect(invertStep(latents, null, t, schedule).data).toBeAllClose(expected, { atol: 1e-6 });
  });

  it('from the clean sample begins where sampling ends', () => {
    const t = schedule.timesteps.at(-1) ?? 0;
    const [latents, noise] = [randomTensor(dims, 1), randomTensor(dims, 2)];
    const above = invertStep(latents, noise, t, schedule);
    const sigma = Math.sqrt(1 - schedule.alphaCumprod(t));
    const left = Math.sqrt(schedule.alphaCumprod(t) / schedule.finalAlphaCumprod);
    const lost = sigma - left * Math.sqrt(1 - schedule.finalAlphaCumprod);
    const expected = latents.data.map((x, i) => left * x + lost * (noise.data[i] ?? 0));
    expect(above.data).toBeAllClose(expected, { atol: 1e-6 });
  });

  it('leads only to timesteps of the schedule', () => {
    const latents = randomTensor(dims);
    expect(() => invertStep(latents, null, 2, schedule)).toThrow('2 is not a timestep of the schedule');
  });
});

describe('the noise that is expected', () => {
  it('lies on a straight line through the two before', () => {
    const [start, slope] = [randomTensor(dims, 1), randomTensor(dims, 2)];
    // Quarters, so that the line is exact in float32.
    const quarters = ({ data }: Tensor, i: number) => Math.round(4 * (data[i] ?? 0)) / 4;
    const line = (time: number) => {
      const values = Float32Array.from(start.data, (_, i) => quarters(start, i) + time * quarters(slope, i));
      return tensor(dims, values);
    };
    expect(extrapolateNoise(line(3), line(2))).toEqual(line(4));
  });

  it('is that of the step before where there is only one', () => {
    const last = generate(dims, (n = 0, c = 0) => n - c);
    expect(extrapolateNoise(last, null)).toEqual(last);
  });
});
