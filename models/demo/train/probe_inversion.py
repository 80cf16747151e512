"""DDIM inversion and reconstruction of sample frames: python3 probe_inversion.py --samples ../samples

PSNR of the reconstruction against what the autoencoder alone makes of the frame, 50 steps each way, guidance 1.
"""
import json
from pathlib import Path
import subprocess

import numpy as np
import torch

from autoencoder import SCALING_FACTOR
from diffusion import ddim_move, ddim_timesteps, guided_velocity
from probe import load_models
from tokenizer import encode
from train_vae import to_bytes, to_unit
from workspace import parser

STEPS = 50


def read_frames(path, size=256):
    """Every frame of a clip, uint8 [T, size, size, 3]."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, size, size, 3)


def invert_and_return(unet, latents, context):
    """Latents to noise and back; also the noise."""
    schedule = [0, *ddim_timesteps(STEPS)]
    for start, end in zip(schedule, schedule[1:]):
        latents = ddim_move(latents, guided_velocity(unet, latents, end, context, None, 1), start, end)
    noise = latents
    for end, start in zip(reversed(schedule[:-1]), reversed(schedule)):
        latents = ddim_move(latents, guided_velocity(unet, latents, start, context, None, 1), start, end)
    return latents, noise


@torch.no_grad()
def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--samples", type=Path, required=True, help="folder of the sample clips")
    arguments.add_argument("--frames", type=int, default=2, help="frames per clip, evenly spread")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    unet, text_encoder, vae = load_models(options.work)
    for path in sorted(options.samples.glob("*.mp4")):
        frames = read_frames(path)
        frames = frames[np.linspace(0, len(frames) - 1, options.frames + 2).astype(int)[1:-1]]
        words = json.loads(path.with_suffix(".json").read_text())["caption"]
        context = text_encoder(torch.tensor([encode(words)] * len(frames)))
        latents = vae.encode(to_unit(frames))[0] * SCALING_FACTOR
        returned, noise = invert_and_return(unet, latents, context)
        own, again = (to_bytes(vae.decode(z / SCALING_FACTOR)).astype(np.float32) for z in (latents, returned))

        def psnr(a, b):
            return round(float(10 * np.log10(255**2 / ((a - b) ** 2).mean())), 1)

        facts = {"clip": path.stem, "reconstruction dB": psnr(own, again), "autoencoder alone dB": psnr(own, frames.astype(np.float32))}
        print(json.dumps({**facts, "std of the noise": round(float(noise.std()), 2)}), flush=True)


if __name__ == "__main__":
    main()
