import { describe, expect, test } from 'vitest';
import { parseSchedulerConfig } from '../diffusion/scheduler-config.ts';
import { adaptedToFewSteps, fewStepModelOf, namesOfFolder } from './few-step.ts';

const stableDiffusion = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', steps_offset: 1 };
const found = (fields: object, ...names: readonly string[]) =>
  fewStepModelOf(parseSchedulerConfig({ ...stableDiffusion, ...fields }), names);

describe('a model of few steps is recognised', () => {
  test('by the class of its scheduler, whatever it is called', () => {
    const lcm = { _class_name: 'LCMScheduler', original_inference_steps: 40 };
    expect(found(lcm, 'dreamshaper')).toMatchObject({
      title: 'LCM',
      defaults: { steps: 4, guidance: 1 },
      scheduler: { solver: { kind: 'lcm', originalSteps: 40, timestepScaling: 10 } },
    });
    expect(found({ _class_name: 'TCDScheduler' }, 'mine')).toMatchObject({
      title: 'TCD',
      defaults: { steps: 4, guidance: 1 },
      scheduler: { solver: { kind: 'tcd', originalSteps: 50 } },
    });
  });

  test("by Euler's trailing timesteps, as SD-Turbo is saved", () => {
    const turbo = { _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'trailing', set_alpha_to_one: false };
    expect(found(turbo, '4e5b8b2f')).toMatchObject({ title: 'Turbo', defaults: { steps: 4, guidance: 1 } });
    expect(found({ ...turbo, _class_name: 'EulerAncestralDiscreteScheduler' }, 'x')?.title).toBe('Turbo');
  });

  test.each([
    ['dreamshaper-8-lcm', 'LCM', { kind: 'lcm', originalSteps: 50, timestepScaling: 10 }, 'leading', 4, 1],
    ['DreamShaperTurbo', 'Turbo', { kind: 'euler' }, 'trailing', 4, 1],
    ['RealVisXL_Lightning-8step', 'Lightning', { kind: 'euler' }, 'trailing', 8, 1],
    ['Hyper-SD15-2steps-lora', 'Hyper-SD', { kind: 'euler' }, 'trailing', 2, 1],
    ['Hyper-SD15-8steps-CFG-lora', 'Hyper-SD with guidance', { kind: 'euler' }, 'trailing', 8, 5],
    ['sd21-tcd', 'TCD', { kind: 'tcd', originalSteps: 50 }, 'leading', 4, 1],
  ])('by its name %s, with the schedule that it was distilled for', (name, title, solver, spacing, steps, guidance) => {
    expect(found({ _class_name: 'PNDMScheduler' }, name)).toMatchObject({
      title,
      defaults: { steps, guidance },
      scheduler: { solver, timestepSpacing: spacing, betas: { start: 0.00085, end: 0.012 } },
    });
  });

  test.each([
    ['lcm-lora-sdv1-5', 'LCM'],
    ['sdxl_lightning_4step_lora.safetensors', 'Lightning'],
    ['hyper-sd15-8steps-cfg', 'Hyper-SD with guidance'],
    ['sd_xl_turbo_lora_v1', 'Turbo'],
  ])('by the name of a LoRA in it: %s', (name, title) => {
    expect(fewStepModelOf(parseSchedulerConfig(stableDiffusion), [name], 'lora')?.title).toBe(title);
  });
});

test.each([
  [{ _class_name: 'DDIMScheduler', timestep_spacing: 'trailing' }, 'stable-diffusion-v1-5'],
  [{ _class_name: 'EulerDiscreteScheduler' }, 'stable-diffusion-2-1'],
  [
    {
      _class_name: 'EulerDiscreteScheduler',
      timestep_spacing: 'trailing',
      rescale_betas_zero_snr: true,
      prediction_type: 'v_prediction',
    },
    'terminus',
  ],
  [{}, 'hyperrealism-v3'],
  [{}, 'Hyper-Realism'],
  [{}, 'turbolence'],
])('others are not: %j called %s', (fields, name) => {
  expect(found(fields, name)).toBeNull();
});

test('words that LoRA of other things have make none of few steps', () => {
  const config = parseSchedulerConfig(stableDiffusion);
  for (const name of ['lightning-bolts', 'turbo_sports_car', 'hyper-detailer']) {
    expect(fewStepModelOf(config, [name], 'lora')).toBeNull();
  }
});

test('a snapshot in a hub cache has the name of its model, another folder its own', () => {
  const snapshot =
    '/home/u/.cache/huggingface/hub/models--stabilityai--sd-turbo/snapshots/b261bac6fd2cf515557d5d0707481eafa0485ec2';
  expect(namesOfFolder(snapshot)).toEqual(['models--stabilityai--sd-turbo']);
  expect(namesOfFolder('C:\\models\\dreamshaper-8-lcm\\')).toEqual(['dreamshaper-8-lcm']);
});

describe('an outline', () => {
  const outline = { scheduler: parseSchedulerConfig(stableDiffusion), defaults: { guidance: 7.5, steps: 20 } };
  const adapted = (dir: string, ...loras: readonly string[]) => adaptedToFewSteps(outline, { dir, loras });

  test('of an ordinary checkpoint with ordinary LoRA stays as it is', () => {
    expect(adapted('/models/realistic-vision', 'film-grain')).toBe(outline);
  });

  test('of a distilled checkpoint has its schedule and defaults', () => {
    expect(adapted('/models/sdxl_lightning_8step.safetensors')).toMatchObject({
      scheduler: { timestepSpacing: 'trailing', solver: { kind: 'euler' } },
      defaults: { guidance: 1, steps: 8, fewSteps: 'checkpoint' },
    });
  });

  test('of any checkpoint with a LoRA of few steps has those of the LoRA', () => {
    const { scheduler, defaults } = adapted(
      '/models/realistic-vision',
      'film',
      'Hyper-SD15-8steps-CFG-lora.safetensors',
    );
    expect(defaults).toEqual({ guidance: 5, steps: 8, fewSteps: 'lora' });
    expect(scheduler.solver).toEqual({ kind: 'euler' });
    expect(adapted('/models/sd-turbo', 'lcm-lora-sdv1-5').scheduler.solver.kind).toBe('lcm');
  });
});
