import { describe, expect, it } from 'vitest';
import { EditError } from '../errors.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';

function codeOf(json: unknown): string {
  try {
    parseSchedulerConfig(json);
  } catch (error) {
    if (error instanceof EditError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('parseSchedulerConfig', () => {
  it('takes what a file leaves out from the defaults of DDIMScheduler', () => {
    expect(parseSchedulerConfig({})).toEqual({
      trainTimesteps: 1000,
      betas: { schedule: 'linear', start: 0.0001, end: 0.02 },
      rescaleBetasZeroSnr: false,
      setAlphaToOne: true,
      stepsOffset: 0,
      predictionType: 'epsilon',
      timestepSpacing: 'leading',
      solver: { kind: 'ddim' },
    });
  });

  it('reads the scheduler file that Stable Diffusion 2.1 is published with', () => {
    const config = parseSchedulerConfig({
      _class_name: 'DDIMScheduler',
      _diffusers_version: '0.8.0',
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      beta_start: 0.00085,
      clip_sample: false,
      num_train_timesteps: 1000,
      prediction_type: 'v_prediction',
      set_alpha_to_one: false,
      skip_prk_steps: true,
      steps_offset: 1,
      trained_betas: null,
    });
    expect(config.predictionType).toBe('v_prediction');
    expect(config.stepsOffset).toBe(1);
    expect(config.setAlphaToOne).toBe(false);
    expect(config.betas).toEqual({ schedule: 'scaled_linear', start: 0.00085, end: 0.012 });
  });

  it('takes given betas', () => {
    const config = parseSchedulerConfig({ num_train_timesteps: 2, trained_betas: [0.1, 0.2] });
    expect(config.betas).toEqual({ schedule: 'given', values: [0.1, 0.2] });
  });

  it('refuses what it does not know, by name', () => {
    expect(codeOf({ beta_schedule: 'sigmoid' })).toBe(
      'model-unsupported: scheduler_config.json: beta_schedule must be one of linear, scaled_linear, squaredcos_cap_v2, got "sigmoid".',
    );
    expect(codeOf({ prediction_type: 'flow_prediction' })).toContain('got "flow_prediction"');
    expect(codeOf({ timestep_spacing: 7 })).toContain('timestep_spacing');
    expect(codeOf({ _class_name: 'FlowMatchEulerDiscreteScheduler' })).toContain('flow-matching');
    expect(codeOf({ rescale_betas_zero_snr: true })).toContain('model-unsupported');
    expect(codeOf({ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' })).toBe('accepted');
  });

  it('calls values of the wrong kind damage', () => {
    const faults: unknown[] = [
      null,
      [],
      'text',
      { num_train_timesteps: '1000' },
      { num_train_timesteps: 0 },
      { num_train_timesteps: 1e9 },
      { beta_start: -0.1 },
      { beta_end: '0.012' },
      { steps_offset: 1.5 },
      { steps_offset: 1000 },
      { set_alpha_to_one: 'yes' },
      { trained_betas: [0.1] },
      { trained_betas: 'many' },
    ];
    for (const fault of faults) expect(codeOf(fault)).toContain('model-damaged');
  });
});
