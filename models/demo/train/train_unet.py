"""Trains text encoder and UNet together: python3 train_unet.py --minutes 100

Starts on 16x16 latents (64-pixel images) and ends on 32x32. Rates follow the wall time, so the training ends when it
says. Run again to go on after a stop; the checkpoint is unet-checkpoint.pt in the work folder.
"""
import copy
import json
import time

import numpy as np
import torch

from autoencoder import Autoencoder
from dataset import HELD_OUT
from diffusion import STEPS, signal_and_noise
from judge import judge_pictures, load_judge
from png import contact_sheet, write_png
from probe import prompt_grid, scene_caption, score, text_to_image
from shared_adam import SharedAdam, launch, processes
from text_encoder import TextEncoder
from tokenizer import encode
from unet import Transformer, UNet
from workspace import parser
from world import COLOURS, OBJECTS, random_caption

LARGE_FROM = 0.34  # share of the time after which latents are 32x32
UNIFORM_FROM = 0.85  # share of the time after which all timesteps are equally likely
ALL_KEYS_FROM = 0.95  # share of the time after which self-attention sees all keys, as it does in use
DECAY_FROM = 0.60  # share of the time after which the rate falls to zero
BATCH = {16: 24, 32: 10}  # per process
RATE = {16: 1.0e-3, 32: 8.0e-4}
SKEW = {16: 0.75, 32: 0.60}  # timestep = STEPS * quantile^skew
WARM_UP_STEPS = 100
NO_CAPTION = 0.10
OBJECT_WEIGHT = 3.0
PROBE_SECONDS = 900


def draw_timesteps(rng, count, progress, edge):
    """One timestep per stratum of [0, STEPS); noisier ones until UNIFORM_FROM, where colour and shape are decided."""
    quantile = (np.arange(count) + rng.random(count)) / count
    skew = SKEW[edge] if progress < UNIFORM_FROM else 1.0
    return torch.from_numpy(rng.permutation((STEPS * quantile**skew).astype(np.int64).clip(max=STEPS - 1)))


def group_by_look(scenes):
    """Image numbers of every colour and object, so that batches can hold all of them equally."""
    groups = {(colour, name): [] for colour in COLOURS for name in OBJECTS}
    for i, scene in enumerate(scenes):
        groups[scene["colour"], scene["object"]].append(i)
    return [np.array(group) for group in groups.values() if group]


class Batches:
    """Draws training batches of latents at one size."""

    def __init__(self, work, edge, scenes, groups):
        self.latents = np.load(work / f"latents-{edge}.npy", mmap_mode="r")  # [views, N, 4, edge, edge]
        masks = np.load(work / "masks.npy").astype(np.float32) / 255
        fold = masks.shape[1] // edge
        self.masks = masks.reshape(len(masks), edge, fold, edge, fold).mean((2, 4))
        self.scenes, self.groups = scenes, groups

    def draw(self, rng, count):
        """(latents [N, 4, h, h], object masks [N, h, h], token ids [N, LENGTH])."""
        chosen = np.concatenate([rng.permutation(len(self.groups)) for _ in range(-(-count // len(self.groups)))])[:count]
        rows = [int(rng.choice(self.groups[g])) for g in chosen]
        mirrored = rng.integers(0, len(self.latents), count)
        latents = torch.from_numpy(np.stack([self.latents[m, r] for m, r in zip(mirrored, rows)])).float()
        masks = torch.from_numpy(np.stack([self.masks[r][:, ::-1] if m else self.masks[r] for m, r in zip(mirrored, rows)]))
        captions = []
        for row in rows:
            scene = self.scenes[row]
            text = random_caption(rng, scene["object"], scene["colour"], scene["background"], scene["style"])
            captions.append(encode("" if rng.random() < NO_CAPTION else text))
        return latents, masks, torch.tensor(captions)


def rate_at(progress, step, edge):
    falling = min(1.0, (1 - progress) / (1 - DECAY_FROM))
    return RATE[edge] * min(1.0, (step + 1) / WARM_UP_STEPS) * falling + 1e-6


def take_probe(models, judge_path, path, edge):
    """Every fourth prompt of the grid: scores, and a contact sheet at `path`."""
    judge, hues = load_judge(judge_path)
    wanted = prompt_grid(0)[::4]
    pictures = text_to_image(*models, [scene_caption(w) for w in wanted], seed=7, steps=16, edge=edge)
    write_png(path, contact_sheet(pictures, 6))
    if edge == 16:
        pictures = pictures.repeat(2, 1).repeat(2, 2)
    return score(judge_pictures(judge, hues, pictures)[0], wanted)


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=100, help="wall time of the whole training")
    options = arguments.parse_args()
    work, limit = options.work, options.minutes * 60
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    scenes = json.loads((work / "scenes.json").read_text())[:-HELD_OUT]
    groups = group_by_look(scenes)
    vae = Autoencoder().to(device)
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    unet, text_encoder = UNet().to(device), TextEncoder().to(device)
    averaged = copy.deepcopy((unet, text_encoder))
    adam = SharedAdam([unet, text_encoder], processes(device))
    adam.mirror_average(averaged)
    checkpoint = work / "unet-checkpoint.pt"
    spent = adam.load(checkpoint)["spent"] if checkpoint.exists() else 0.0

    def run(rank):
        adam.attach(rank)
        rng = np.random.default_rng((adam.step, rank, 1))
        torch.manual_seed(1000 * adam.step + rank)
        started, save, probe = time.time() - spent, spent + 120, spent + PROBE_SECONDS
        batches, recent, edge = None, [], 16
        while True:
            elapsed = adam.agree(time.time() - started)
            progress = min(1.0, elapsed / limit)
            if rank == 0 and (elapsed > save or progress == 1):
                save = elapsed + 120
                adam.save(checkpoint, spent=elapsed)
            if rank == 0 and (elapsed > probe or progress == 1):
                probe = elapsed + PROBE_SECONDS
                scores = take_probe((*averaged, vae), work / "judge.pt", work / f"probe-{round(elapsed / 60):03}.png", edge)
                print(json.dumps({"step": adam.step, "seconds": round(elapsed), "edge": edge, **scores}), flush=True)
            if progress == 1:
                return
            if batches is None or (edge == 16 and progress >= LARGE_FROM):
                edge = 32 if progress >= LARGE_FROM else 16
                batches = Batches(work, edge, scenes, groups)
            for module in unet.modules():
                if isinstance(module, Transformer):
                    module.thin_keys = progress < ALL_KEYS_FROM
            latents, masks, ids = (t.to(device) for t in batches.draw(rng, BATCH[edge]))
            timesteps = draw_timesteps(rng, len(latents), progress, edge).to(device)
            signal, noise_level = signal_and_noise(timesteps)
            noise = torch.randn_like(latents)
            noisy, velocity = signal * latents + noise_level * noise, signal * noise - noise_level * latents
            weight = 1 + (OBJECT_WEIGHT - 1) * masks
            adam.zero_grad()
            with torch.autocast(device, dtype=torch.bfloat16):
                predicted = unet(noisy, timesteps, text_encoder(ids))
            error = (predicted - velocity).pow(2).mean(1)  # [N, h, h]
            loss = (error * weight).mean() / weight.mean()
            loss.backward()
            adam.update(rate_at(progress, adam.step, edge), beta2=0.98, average_decay=0.996)
            with torch.no_grad():
                recent.append([float(error.mean()), float((error * masks).sum() / masks.sum())])
            if rank == 0 and adam.step % 100 == 0:
                every, objects = np.mean(recent, 0)
                line = {"step": adam.step, "seconds": round(elapsed), "edge": edge, "v-mse": round(every, 4), "object v-mse": round(objects, 4)}
                print(json.dumps(line), flush=True)
                recent = []

    launch(run, device)


if __name__ == "__main__":
    main()
