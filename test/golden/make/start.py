"""Makes test/fixtures/golden/sd1/start.safetensors: where the official code starts to sample.

    python start.py TOKENFLOW_FOLDER GOLDEN_FOLDER...

TOKENFLOW_FOLDER is a copy of github.com/omerbt/TokenFlow at 5dd6a69. Its functions run as they are, on the CPU in float32:
Preprocess.ddim_inversion for the inversion, TokenFlow.get_ddim_eps of run_tokenflow_pnp.py and run_tokenflow_sdedit.py
for the noise, and DDIMScheduler.add_noise as their edit_video calls it. Nothing is drawn, so there is no seed.
The official inversion takes every prediction for noise, so that only a checkpoint that predicts noise can be asked.
Made with Python 3.11, torch 2.13.0 (CPU), diffusers 0.21.4, transformers 4.33.3.
"""

import importlib
import sys
import tempfile
import types
from pathlib import Path
from unittest.mock import MagicMock

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file

FRAMES = 2
INVERSION_STEPS = 25
SAMPLING_STEPS = 5
# SDEdit starts in the middle: so many of the sampling steps are left out.
SKIPPED = 2

# What the official files import and these functions do not use.
UNUSED = ['cv2', 'torchvision', 'torchvision.io', 'torchvision.transforms', 'kornia', 'kornia.geometry',
          'kornia.geometry.transform', 'kornia.utils', 'kornia.utils.grid']


def invert(official, folder: Path, golden: dict, latents_path: Path) -> torch.Tensor:
    """Saves noisy_latents_{t}.pt for every step; returns the clean latents [FRAMES, 4, h, w]."""
    clean = golden['flow.in.latents'][:FRAMES].float()
    scheduler = DDIMScheduler.from_pretrained(folder / 'scheduler')
    scheduler.set_timesteps(INVERSION_STEPS)
    unet = UNet2DConditionModel.from_pretrained(folder / 'unet').float()
    this = types.SimpleNamespace(scheduler=scheduler, unet=unet, sd_version='1.5')
    (latents_path / 'latents').mkdir()
    official.Preprocess.ddim_inversion(
        this, golden['flow.in.source_context'].float(), clean.clone(), str(latents_path), batch_size=FRAMES)
    return clean


def start(official, folder: Path, clean: torch.Tensor, latents_path: Path, skipped: int) -> dict:
    """Where official.TokenFlow.edit_video begins when `skipped` of the sampling steps are left out."""
    scheduler = DDIMScheduler.from_pretrained(folder / 'scheduler')
    scheduler.set_timesteps(SAMPLING_STEPS)
    scheduler.timesteps = scheduler.timesteps[skipped:]
    this = types.SimpleNamespace(scheduler=scheduler, latents_path=str(latents_path / 'latents'), device='cpu')
    noise = official.TokenFlow.get_ddim_eps(this, clean, range(FRAMES))
    timestep = scheduler.timesteps[0]
    return {f'start.t{timestep}': scheduler.add_noise(clean, noise, timestep).contiguous()}


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    sys.modules.update({name: MagicMock() for name in UNUSED})
    preprocess, pnp, sdedit = (importlib.import_module(name) for name in
                               ['preprocess', 'run_tokenflow_pnp', 'run_tokenflow_sdedit'])
    for folder in map(Path, sys.argv[2:]):
        golden = load_file(folder / 'golden.safetensors')
        with tempfile.TemporaryDirectory() as latents_path, torch.no_grad():
            clean = invert(preprocess, folder, golden, Path(latents_path))
            saved = Path(latents_path, 'latents').glob('noisy_latents_*.pt')
            end = max(int(path.stem.split('_')[-1]) for path in saved)
            noisiest = torch.load(Path(latents_path, 'latents', f'noisy_latents_{end}.pt'))
            tensors = {f'noisiest.t{end}': noisiest}
            tensors |= start(pnp, folder, clean, Path(latents_path), 0)
            tensors |= start(sdedit, folder, clean, Path(latents_path), SKIPPED)
        save_file(tensors, folder / 'start.safetensors',
                  metadata={'inversion_steps': str(INVERSION_STEPS), 'script': 'test/golden/make/start.py'})
        print(folder, {name: (tuple(one.shape), float(one.std())) for name, one in tensors.items()})


main()
