"""Makes few-step.json in FOLDER: schedules and steps of diffusers' schedulers for models of few steps.

    python few_step.py FOLDER [--seed N]

test/fixtures/golden/few-step is seed 0. Runs LCMScheduler, TCDScheduler (eta 0), EulerDiscreteScheduler and DDIMScheduler
with trailing timesteps as they are, in float64 where they allow it. The "network" answers with numbers drawn from the
seed; Euler's schedulers scale its input, which has no influence on such an answer. The latents of Euler are those of its
own space, x / sqrt(alpha_cumprod), and are brought back to the usual one here.
Made with Python 3.11, torch 2.13.0 (CPU), diffusers 0.35.2.
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler, LCMScheduler, TCDScheduler

SHAPE = (1, 4, 2, 3)
STABLE_DIFFUSION = {'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear'}
CASES = [
    (LCMScheduler, {}, 4),
    (LCMScheduler, {'original_inference_steps': 100, 'timestep_scaling': 7.0}, 6),
    (LCMScheduler, {'prediction_type': 'v_prediction', 'set_alpha_to_one': False}, 8),
    (LCMScheduler, {}, 1),
    (TCDScheduler, {'set_alpha_to_one': False, 'steps_offset': 1}, 4),
    (TCDScheduler, {'prediction_type': 'v_prediction'}, 7),
    (TCDScheduler, {}, 1),
    (EulerDiscreteScheduler, {'timestep_spacing': 'trailing', 'steps_offset': 1}, 4),
    (EulerDiscreteScheduler, {'timestep_spacing': 'trailing'}, 1),
    (EulerDiscreteScheduler, {'timestep_spacing': 'trailing'}, 7),
    (EulerDiscreteScheduler, {'timestep_spacing': 'trailing', 'prediction_type': 'v_prediction'}, 8),
    (DDIMScheduler, {'timestep_spacing': 'trailing', 'set_alpha_to_one': False, 'clip_sample': False}, 8),
    (DDIMScheduler, {'timestep_spacing': 'trailing', 'rescale_betas_zero_snr': True, 'clip_sample': False,
                     'prediction_type': 'v_prediction'}, 4),
]


def run(seed, kind, fields, steps):
    """One schedule walked from top to bottom; everything as lists of numbers."""
    scheduler = kind(**STABLE_DIFFUSION, **fields)
    scheduler.set_timesteps(steps)
    draw = torch.Generator().manual_seed(seed)
    is_euler = kind is EulerDiscreteScheduler

    def usual(latents, sigma):
        return latents / (sigma ** 2 + 1) ** 0.5 if is_euler else latents

    latents = torch.randn(SHAPE, generator=draw, dtype=torch.float64)
    if is_euler:
        latents = latents * scheduler.init_noise_sigma
    walked = []
    for index, timestep in enumerate(scheduler.timesteps):
        before = usual(latents, float(scheduler.sigmas[index])) if is_euler else latents
        prediction = torch.randn(SHAPE, generator=draw, dtype=torch.float64)
        noise = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed + index + 1), dtype=torch.float64)
        options = {} if kind is DDIMScheduler else {'generator': torch.Generator().manual_seed(seed + index + 1)}
        if is_euler:
            scheduler.scale_model_input(latents, timestep)
        if kind is TCDScheduler:
            options['eta'] = 0.0
        latents = scheduler.step(prediction, timestep, latents, **options).prev_sample
        after = usual(latents, float(scheduler.sigmas[index + 1])) if is_euler else latents
        walked.append({'before': numbers(before), 'prediction': numbers(prediction), 'noise': numbers(noise),
                       'after': numbers(after)})
    return {'scheduler': {'_class_name': kind.__name__, **STABLE_DIFFUSION, **fields}, 'shape': list(SHAPE),
            'timesteps': [int(t) for t in scheduler.timesteps], 'steps': walked}


def numbers(tensor):
    return [float(f'{value:.9g}') for value in tensor.double().flatten().tolist()]


def spaced(kind):
    """The timesteps of every number of steps that fits."""
    found = []
    for steps in range(1, 51):
        scheduler = kind(**STABLE_DIFFUSION)
        scheduler.set_timesteps(steps)
        found.append([int(t) for t in scheduler.timesteps])
    return found


arguments = argparse.ArgumentParser()
arguments.add_argument('folder', type=Path)
arguments.add_argument('--seed', type=int, default=0)
asked = arguments.parse_args()
asked.folder.mkdir(parents=True, exist_ok=True)
with open(asked.folder / 'few-step.json', 'w') as file:
    runs = [run(asked.seed, *case) for case in CASES]
    json.dump({'runs': runs, 'lcm': spaced(LCMScheduler), 'tcd': spaced(TCDScheduler)}, file)
    file.write('\n')
