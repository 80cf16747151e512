// Expected numbers: numpy 2.4 in float64, by the formulas of diffusers 0.21's DDIMScheduler.
import { describe, expect, it } from 'vitest';
import { createSchedule } from './schedule.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';

const stableDiffusion = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  steps_offset: 1,
  set_alpha_to_one: false,
};

function schedule(fields: object, steps: number) {
  return createSchedule(parseSchedulerConfig({ ...stableDiffusion, ...fields }), steps);
}

describe('timesteps', () => {
  it('leading: starts every stride at steps_offset', () => {
    expect(schedule({}, 5).timesteps).toEqual([801, 601, 401, 201, 1]);
    expect(schedule({}, 7).timesteps).toEqual([853, 711, 569, 427, 285, 143, 1]);
    expect(schedule({}, 50).timesteps.slice(0, 3)).toEqual([981, 961, 941]);
    expect(schedule({}, 1).timesteps).toEqual([1]);
  });

  it('trailing: ends every stride at the last training timestep', () => {
    const trailing = { timestep_spacing: 'trailing' };
    expect(schedule(trailing, 5).timesteps).toEqual([999, 799, 599, 399, 199]);
    expect(schedule(trailing, 7).timesteps).toEqual([999, 856, 713, 570, 428, 285, 142]);
    const short = { ...trailing, num_train_timesteps: 10 };
    expect(schedule(short, 4).timesteps).toEqual([9, 7, 4, 1]);
  });

  it('linspace: from the last to the first, rounding halves to even', () => {
    const linspace = { timestep_spacing: 'linspace' };
    expect(schedule(linspace, 5).timesteps).toEqual([999, 749, 500, 250, 0]);
    expect(schedule(linspace, 7).timesteps).toEqual([999, 832, 666, 500, 333, 166, 0]);
    expect(schedule({ ...linspace, num_train_timesteps: 11 }, 5).timesteps).toEqual([10, 8, 5, 2, 0]);
    expect(schedule(linspace, 1).timesteps).toEqual([0]);
  });

  it('are as many as asked for, different, descending and trained, for every count that fits', () => {
    for (const timestep_spacing of ['leading', 'trailing', 'linspace']) {
      for (let steps = 1; steps < 1000; steps++) {
        const { timesteps } = schedule({ timestep_spacing }, steps);
        expect(timesteps).toHaveLength(steps);
        const falls = timesteps.every((t, i) => i === 0 || t < (timesteps[i - 1] ?? -1));
        expect(falls && (timesteps[0] ?? -1) < 1000 && (timesteps.at(-1) ?? -1) >= 0).toBe(true);
      }
    }
  });

  it('refuses counts that do not fit', () => {
    expect(() => schedule({}, 0)).toThrow('steps must be a whole number in 1..1000, got 0.');
    expect(() => schedule({}, 2.5)).toThrow('got 2.5');
    expect(() => schedule({}, 1001)).toThrow('got 1001');
    expect(() => schedule({}, 1000)).toThrow('steps must be less than 1000 for this checkpoint');
    expect(schedule({ steps_offset: 0 }, 1000).timesteps[0]).toBe(999);
  });
});

describe('alphaCumprod', () => {
  const at = [0, 1, 500, 998, 999];
  const cases: [string, object, number[]][] = [
    ['scaled_linear', {}, [0.99915, 0.9982960278, 0.2763326838, 0.0047166989, 0.0046600985]],
    [
      'linear',
      { beta_schedule: 'linear', beta_start: 0.0001, beta_end: 0.02 },
      [0.9999, 0.9997800921, 0.0777966584, 0.0000411819, 0.0000403583],
    ],
    [
      'squaredcos_cap_v2',
      { beta_schedule: 'squaredcos_cap_v2' },
      [0.9999587158, 0.9999125759, 0.4922851724, 0.0000024288, 0.0000000024],
    ],
    [
      'zero terminal signal-to-noise ratio',
      { rescale_betas_zero_snr: true, prediction_type: 'v_prediction' },
      [0.99915, 0.9982334461, 0.2410187828, 0.0000001968, 0],
    ],
    [
      'given betas',
      { num_train_timesteps: 1000, trained_betas: new Array<number>(1000).fill(0.001) },
      at.map((t) => 0.999 ** (t + 1)),
    ],
  ];
  it.each(cases)('%s', (_, fields, expected) => {
    const { alphaCumprod } = schedule(fields, 5);
    expect(at.map(alphaCumprod)).toBeAllClose(expected, { atol: 1e-10 });
  });

  it('ends below the lowest timestep at 1 or at the first value, as set_alpha_to_one says', () => {
    expect(schedule({ set_alpha_to_one: true }, 5).finalAlphaCumprod).toBe(1);
    expect(schedule({}, 5).finalAlphaCumprod).toBeCloseTo(0.99915, 12);
  });

  it('refuses timesteps that were not trained', () => {
    expect(() => schedule({}, 5).alphaCumprod(1000)).toThrow('outside 0..999');
    expect(() => schedule({}, 5).alphaCumprod(-1)).toThrow(RangeError);
  });
});

it('previousTimestep lies one stride below', () => {
  expect(schedule({}, 5).previousTimestep(801)).toBe(601);
  expect(schedule({}, 7).previousTimestep(1)).toBe(-141);
});
