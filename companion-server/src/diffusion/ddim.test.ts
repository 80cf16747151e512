import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf, type Tensor, tensor } from '../tensor/tensor.ts';
import { addNoise, invertDdimStep, stepDdim } from './ddim.ts';
import { frameNoise } from './seeded-noise.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { parseSchedulerConfig, type PredictionType } from './scheduler-config.ts';

const dims = [2, 4, 3, 5];

function schedule(steps: number, fields: object = {}): Schedule {
  return createSchedule(
    parseSchedulerConfig({
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      steps_offset: 1,
      set_alpha_to_one: false,
      ...fields,
    }),
    steps,
  );
}

function normal(seed: number): Tensor {
  return frameNoise(seed, [0, 1], dims.slice(1));
}

function map2(a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor {
  return tensor(
    a.dims,
    a.data.map((value, i) => f(value, b.data[i] ?? NaN)),
  );
}

/** What a network that knows x_0 and the noise answers at `t`. */
function perfectPrediction(type: PredictionType, x0: Tensor, eps: Tensor, alpha: number): Tensor {
  switch (type) {
    case 'epsilon':
      return eps;
    case 'v_prediction':
      return map2(x0, eps, (x, e) => Math.sqrt(alpha) * e - Math.sqrt(1 - alpha) * x);
    case 'sample':
      return x0;
  }
}

const types: PredictionType[] = ['epsilon', 'v_prediction', 'sample'];

describe('stepDdim', () => {
  it.each(types)('with perfect %s predictions walks from noise to the clean sample', (type) => {
    const walk = schedule(10, { prediction_type: type, set_alpha_to_one: true });
    const x0 = normal(1);
    const eps = normal(2);
    let latents = addNoise(x0, eps, walk.timesteps[0] ?? 0, walk);
    for (const t of walk.timesteps) {
      const prediction = perfectPrediction(type, x0, eps, walk.alphaCumprod(t));
      latents = stepDdim(latents, prediction, t, walk);
      const previous = walk.previousTimestep(t);
      if (previous >= 0) {
        const expected = addNoise(x0, eps, previous, walk);
        expect(latents.data).toBeAllClose(expected.data, { atol: 2e-5 });
      }
    }
    expect(latents.data).toBeAllClose(x0.data, { atol: 2e-5 });
  });

  it('starts from pure noise when the schedule ends in zero signal', () => {
    const walk = schedule(4, {
      prediction_type: 'v_prediction',
      rescale_betas_zero_snr: true,
      timestep_spacing: 'trailing',
    });
    const x0 = normal(1);
    const eps = normal(2);
    const first = perfectPrediction('v_prediction', x0, eps, 0);
    const next = stepDdim(eps, first, 999, walk);
    expect(next.data).toBeAllClose(addNoise(x0, eps, 749, walk).data, { atol: 1e-6 });
  });

  it('computes equation 12 of the paper', () => {
    const walk = schedule(5);
    const [aT, aPrev] = [walk.alphaCumprod(601), walk.alphaCumprod(401)];
    const latents = tensor([1], Float32Array.of(0.7));
    const eps = tensor([1], Float32Array.of(-0.4));
    const x0 = (0.7 - Math.sqrt(1 - aT) * -0.4) / Math.sqrt(aT);
    const expected = Math.sqrt(aPrev) * x0 + Math.sqrt(1 - aPrev) * -0.4;
    expect(stepDdim(latents, eps, 601, walk).data).toBeAllClose([expected], { atol: 1e-6 });
  });

  it('refuses a prediction of another shape', () => {
    expect(() => stepDdim(normal(1), tensor([1, 4, 3, 5]), 801, schedule(5))).toThrow(
      'dims [2, 4, 3, 5] and [1, 4, 3, 5] must be equal',
    );
  });
});

describe('invertDdimStep', () => {
  it('undoes the sampling step that got the same noise, at any number of steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat(), (steps, pick, seed) => {
        const walk = schedule(steps);
        const t = walk.timesteps[pick % steps] ?? 0;
        const latents = normal(seed);
        const eps = normal(seed + 1);
        const down = stepDdim(latents, eps, t, walk);
        expect(invertDdimStep(down, eps, t, walk).data).toBeAllClose(latents.data, { atol: 1e-4 });
      }),
    );
  });

  it('computes what TokenFlow computes: alphas of the timestep and of the one below', () => {
    const walk = schedule(5);
    for (const [t, alphaBelow] of [
      [1, walk.finalAlphaCumprod],
      [201, walk.alphaCumprod(1)],
      [801, walk.alphaCumprod(601)],
    ] as const) {
      const alpha = walk.alphaCumprod(t);
      const x0 = (0.7 - Math.sqrt(1 - alphaBelow) * -0.4) / Math.sqrt(alphaBelow);
      const expected = Math.sqrt(alpha) * x0 + Math.sqrt(1 - alpha) * -0.4;
      const latents = tensor([1], Float32Array.of(0.7));
      const eps = tensor([1], Float32Array.of(-0.4));
      const inverted = invertDdimStep(latents, eps, t, walk);
      expect(inverted.data).toBeAllClose([expected], { atol: 1e-6 });
    }
  });

  it('turns a velocity into noise with the alphas of the timestep it was predicted at', () => {
    const velocity = schedule(5, { prediction_type: 'v_prediction' });
    const latents = normal(1);
    const v = normal(2);
    const alpha = velocity.alphaCumprod(401);
    const eps = map2(latents, v, (x, value) => Math.sqrt(alpha) * value + Math.sqrt(1 - alpha) * x);
    const actual = invertDdimStep(latents, v, 401, velocity);
    const expected = invertDdimStep(latents, eps, 401, schedule(5));
    expect(actual.data).toBeAllClose(expected.data, { atol: 1e-6 });
  });

  it('refuses a timestep that the schedule does not walk over', () => {
    expect(() => invertDdimStep(normal(1), normal(2), 400, schedule(5))).toThrow('400 is not a timestep');
  });
});

it('addNoise keeps the variance of unit-variance latents', () => {
  const noisy = addNoise(frameNoise(1, [0], [4, 40, 40]), frameNoise(2, [0], [4, 40, 40]), 500, schedule(5));
  const variance = noisy.data.reduce((sum, x) => sum + x * x, 0) / sizeOf(noisy.dims);
  expect(Math.abs(variance - 1)).toBeLessThan(0.06);
});
