"""Trains text encoder and UNet together: python3 train_unet.py

Runs without end at a constant rate, with averaged weights that are good at any moment; run it again to go on after a
stop. --finish-minutes 30 lets the rate fall to zero from where it is, and ends. The checkpoint is unet-checkpoint.pt in
the work folder; where there is none, weights of unet-start.pt are taken if they are there.
"""
import copy
import time

import numpy as np
import torch

from autoencoder import Autoencoder
from captions import caption_table, draw_captions
from dataset import held_out, open_arrays, scenes
from diffusion import ALPHA_CUMPROD, STEPS, signal_and_noise
from judge import judge_pictures, load_judge
from png import contact_sheet, write_png
from probe import prompts, scene_caption, score, text_to_image
from schedule import Clock, Schedule, add_arguments
from shared_adam import SharedAdam, launch, processes
from text_encoder import TextEncoder
from unet import Transformer, UNet
from workspace import Log, device_name, parser

RATE, WARM_UP_STEPS = 1e-3, 200
BATCH = {"cpu": 10, "cuda": 256}  # per process
SKEWED_UNTIL = 6000  # steps on a CPU: until then noisier timesteps are likelier, where colour and place are decided
SKEW = 0.75  # timestep = STEPS * quantile^skew
CLAMP_SNR = 5.0
OBJECT_WEIGHT = 2.5
SAVE_SECONDS, PROBE_SECONDS, PROBE_COUNT = {"cpu": 180, "cuda": 45}, 2400, 16


def draw_timesteps(rng, count, skew):
    """One timestep per stratum of [0, STEPS)."""
    quantile = (np.arange(count) + rng.random(count)) / count
    return torch.from_numpy(rng.permutation((STEPS * quantile**skew).astype(np.int64).clip(max=STEPS - 1)))


def step_weight(timesteps, weighting):
    """Weight of each sample's squared error of v, [N, 1, 1].

    'clamped' (a variant of min-SNR, Hang et al. 2023, equation 8) divides by (SNR + 1) / (CLAMP_SNR + 1) where that is
    above one: below that noise nothing is left to decide but the noise itself. The noisy end, where a prompt decides
    what and where, keeps its full weight, which min-SNR would take from it.
    """
    alpha = ALPHA_CUMPROD.to(timesteps.device)[timesteps]
    weight = (CLAMP_SNR + 1) * (1 - alpha) if weighting == "clamped" else torch.ones_like(alpha)
    return weight.clamp(max=1)[:, None, None]


class Latents:
    """Draws training batches; on a GPU the latents live there."""

    def __init__(self, work, device):
        self.latents = np.load(work / "latents.npy", mmap_mode="r")  # [views, N, 4, 32, 32]
        self.count = self.latents.shape[1]
        self.first = held_out(len(open_arrays(work)[0]))
        masks = np.array(open_arrays(work)[1][: self.count]).reshape(self.count, 32, 2, 32, 2).mean((2, 4))
        self.masks = torch.from_numpy(masks.astype(np.uint8))
        self.captions = caption_table(scenes(work)[: self.count])
        self.device = device
        if device == "cuda":
            self.latents, self.masks = torch.from_numpy(np.array(self.latents)).to(device), self.masks.to(device)

    def draw(self, rng, count):
        """(latents [N, 4, 32, 32], object masks [N, 32, 32] 0..1, token ids [N, LENGTH]) on the device."""
        rows, mirrored = np.sort(rng.integers(self.first, self.count, count)), rng.random(count) < 0.5 * (len(self.latents) - 1)
        views = mirrored.astype(np.int64)
        if self.device == "cuda":
            latents = self.latents[torch.from_numpy(views).to(self.device), torch.from_numpy(rows).to(self.device)]
        else:
            latents = torch.from_numpy(np.stack([self.latents[m, r] for m, r in zip(views, rows)]))
        masks = self.masks[torch.from_numpy(rows).to(self.masks.device)].float() / 255
        turned = torch.from_numpy(mirrored).to(masks.device)[:, None, None]
        masks = torch.where(turned, masks.flip(2), masks)
        ids = draw_captions(self.captions, rows, rng).to(self.device)
        return latents.float().contiguous(memory_format=torch.channels_last), masks, ids


def take_probe(models, work, name, count):
    """Draws some prompts from noise, writes a sheet, and has the judge name them."""
    wanted = prompts(count, 0)
    pictures = text_to_image(*models, [scene_caption(w) for w in wanted], seed=0, steps=20)
    write_png(work / name, contact_sheet(pictures, 8))
    if not (work / "judge.pt").exists():
        return {}
    return score(judge_pictures(load_judge(work / "judge.pt", next(models[0].parameters()).device), pictures)[0], wanted)


def start_weights(work, unet, text_encoder, device):
    path = work / "unet-start.pt"
    if path.exists():
        state = torch.load(path, map_location=device)
        unet.load_state_dict(state["unet"])
        text_encoder.load_state_dict(state["text_encoder"])


def train(options, device):
    work = options.work
    unet, text_encoder, vae = UNet().to(device), TextEncoder().to(device), Autoencoder().to(device)
    start_weights(work, unet, text_encoder, device)
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    averaged = copy.deepcopy((unet, text_encoder))
    adam = SharedAdam([unet, text_encoder], processes(device))
    adam.mirror_average(averaged)
    checkpoint = work / "unet-checkpoint.pt"
    state = adam.load(checkpoint) if checkpoint.exists() else {"spent": 0.0, "finish_from": None}
    schedule = Schedule(options.minutes, options.finish_minutes, state["spent"], state["finish_from"])
    clock, log = Clock(options.wall, state["spent"]), Log(work, "unet")
    latents, batch = Latents(work, device), options.batch or BATCH[device]

    def run(rank):
        adam.attach(rank)
        rng = np.random.default_rng((adam.step, rank, 1))
        torch.manual_seed(1000 * adam.step + rank)
        clock.start()
        saved = probed = logged = time.time()
        recent = []
        while True:
            seconds = adam.agree(clock.seconds())
            remaining = schedule.remaining(seconds)
            if rank == 0 and (time.time() - saved > SAVE_SECONDS[device] or not remaining):
                saved = time.time()
                adam.save(checkpoint, spent=seconds, finish_from=schedule.to_resume(seconds))
            if rank == 0 and options.probe_count and (time.time() - probed > options.probe_seconds or not remaining):
                named = take_probe((*averaged, vae), work, f"probe-{round(seconds / 60):04}.png", options.probe_count)
                log(step=adam.step, minutes=round(seconds / 60, 1), **named)
                probed = time.time()
            if not remaining:
                return
            thin = device == "cpu" and adam.step % 4 != 0 and remaining == 1
            for module in unet.modules():
                if isinstance(module, Transformer):
                    module.thin_keys = thin
            clean, masks, ids = latents.draw(rng, batch)
            skew = SKEW if adam.step < SKEWED_UNTIL and remaining == 1 else 1.0
            timesteps = draw_timesteps(rng, batch, skew).to(device)
            signal, noise_level = signal_and_noise(timesteps)
            noise = torch.randn_like(clean)
            noisy, velocity = signal * clean + noise_level * noise, signal * noise - noise_level * clean
            adam.zero_grad()
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device == "cuda"):
                predicted = unet(noisy, timesteps, text_encoder(ids))
            error = (predicted - velocity).pow(2).mean(1)  # [N, 32, 32]
            weight = 1 + (OBJECT_WEIGHT - 1) * masks
            loss = (error * weight * step_weight(timesteps, options.weighting)).mean() / weight.mean()
            loss.backward()
            rate = RATE * min(1, (adam.step + 1) / WARM_UP_STEPS) * remaining
            adam.update(rate, beta2=0.98, average_decay=0.9995)
            if rank == 0:
                with torch.no_grad():
                    each = error.mean((1, 2))
                    bands = [(each * (timesteps // 250 == band)).sum() for band in range(4)]
                    counts = [(timesteps // 250 == band).sum() for band in range(4)]
                    recent.append(torch.stack([error.mean(), (error * masks).sum() / masks.sum(), *bands, *counts]))
                if adam.step % options.log_steps == 0:
                    total = torch.stack(recent).cpu()
                    every, objects = total[:, :2].mean(0).tolist()
                    by_time = (total[:, 2:6].sum(0) / total[:, 6:].sum(0).clamp(min=1)).tolist()
                    losses = {"v_mse": round(every, 4), "object": round(objects, 4), "by_time": [round(v, 3) for v in by_time]}
                    speed = round(len(recent) * batch * processes(device) / (time.time() - logged), 1)
                    log(step=adam.step, minutes=round(seconds / 60, 1), rate=round(remaining, 3), samples_per_second=speed, **losses)
                    recent, logged = [], time.time()

    launch(run, device)


def main():
    arguments = parser(__doc__.splitlines()[0])
    add_arguments(arguments)
    arguments.add_argument("--batch", type=int, help="latents per process and step (default 10, on a GPU 256)")
    arguments.add_argument("--weighting", choices=("clamped", "plain"), default="clamped")
    arguments.add_argument("--log-steps", type=int, default=100)
    arguments.add_argument("--probe-seconds", type=float, default=PROBE_SECONDS, help="wall time between two probes")
    arguments.add_argument("--probe-count", type=int, default=PROBE_COUNT, help="prompts of a probe")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    train(options, device_name())


if __name__ == "__main__":
    main()
