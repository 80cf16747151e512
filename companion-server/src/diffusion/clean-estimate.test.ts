import { describe, expect, it } from 'vitest';
import { randomTensor } from '../../../test/run-graph.ts';
import { tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { estimateClean, noStrongerThan } from './clean-estimate.ts';
import { addNoise } from './ddim.ts';
import { stepDown } from './sampling-step.ts';
import { createSchedule } from './schedule.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';

const dims = [1, 4, 3, 5];
const [clean, noise] = [randomTensor(dims, 1), randomTensor(dims, 2)];
const scheduleOf = (fields: object) =>
  createSchedule(parseSchedulerConfig({ beta_start: 0.00085, beta_end: 0.012, ...fields }), 4);

describe('the estimate of the clean sample', () => {
  it.each(['epsilon', 'v_prediction', 'sample'] as const)(
    'is the sample where the prediction is right: %s',
    (prediction_type) => {
      const schedule = scheduleOf({ prediction_type });
      for (const t of schedule.timesteps) {
        const alpha = schedule.alphaCumprod(t);
        const answer = {
          epsilon: noise,
          v_prediction: weightedSum(Math.sqrt(alpha), noise, -Math.sqrt(1 - alpha), clean),
          sample: clean,
        }[prediction_type];
        const estimate = estimateClean(addNoise(clean, noise, t, schedule), answer, t, schedule);
        expect(estimate.dims).toEqual(dims);
        expect(estimate.data).toBeAllClose(clean.data, { atol: 1e-4 });
      }
    },
  );

  it('of a latent consistency model is what its last step ends with', () => {
    const schedule = scheduleOf({ _class_name: 'LCMScheduler' });
    const t = schedule.timesteps.at(-1) ?? NaN;
    const [latents, prediction] = [randomTensor(dims, 3), randomTensor(dims, 4)];
    expect(estimateClean(latents, prediction, t, schedule).data).toBeAllClose(
      stepDown(latents, prediction, t, schedule).data,
      { atol: 0 },
    );
  });
});

it('an estimate that glares is scaled down to the strength of the picture that it is like, and no other is changed', () => {
  const like = tensor([1, 2, 1, 2], Float32Array.of(1, -1, 1, -1));
  const glaring = tensor([1, 2, 2, 2], Float32Array.of(4, -4, 4, -4, 0, 0, 0, 0));
  const half = noStrongerThan(glaring, like);
  expect(half.dims).toEqual(glaring.dims);
  expect(half.data).toBeAllClose(
    glaring.data.map((value) => value / Math.sqrt(8)),
    { atol: 1e-6 },
  );
  const pale = tensor([1, 2, 1, 2], Float32Array.of(0.5, 0.5, -0.5, 0));
  expect(noStrongerThan(pale, like)).toBe(pale);
  const nothing = tensor([1, 2, 1, 2]);
  expect(noStrongerThan(nothing, like)).toBe(nothing);
});
