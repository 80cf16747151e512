"""Distils a demo model into a LoRA of few steps without guidance: python3 distil.py --model .. --to FILE

A consistency student (Song et al., arXiv 2303.01469; LCM-LoRA, arXiv 2311.05556): from any point of a trajectory of the model
it learns to estimate the trajectory's end. Where a latent consistency model finds the end by bootstrapping, here the model
walks the whole way, with its guidance: that costs less where the model is small and steps of training are few. The scale of
the guidance becomes part of the student.

Nothing but the model is needed. Half of the walks begin in noise, the others in noised pictures of earlier walks, under
other captions: that is what an edit asks for.

--model is a model folder as export.py writes it, of any edition; captions are drawn from the world of this folder as far as
the model's tokenizer has their words as whole tokens. The LoRA has the names of PEFT (unet.KEY.lora_A.weight,
unet.KEY.lora_B.weight, alpha = rank) in half precision. It samples with the timesteps and steps of diffusers' LCMScheduler,
4 or 8 of them.
"""
import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

import diffusion
from low_rank import Student
from model_folder import captions_of, load_captioner, load_unet
from safetensors_file import write_half
from unet import Transformer

LATENTS = (4, 32, 32)
BATCH = 8  # walks of a file
DRAWN = 4  # of them in a step of training
ORIGINAL_STEPS = 50  # of LCMScheduler
STRIDE = diffusion.STEPS // ORIGINAL_STEPS
STUDENT_STEPS = 8  # timesteps that are trained; those of 4 steps are among them
WALK_STEPS = 8  # of the model; a multiple of the above
RATE = 2e-3
AVERAGE = 0.98  # decay of the running average, which is the result
SMALL = 0.01  # differences below are weighted less
CHECKPOINT_SECONDS = 120


def lcm_timesteps(steps):
    """As LCMScheduler takes them, from the noisiest down."""
    return [(ORIGINAL_STEPS - i * ORIGINAL_STEPS // steps) * STRIDE - 1 for i in range(steps)]


def alpha_at(timestep):
    """-1 is the clean picture."""
    return diffusion.ALPHA_CUMPROD[timestep] if timestep >= 0 else torch.tensor(1.0)


def clean_of(latents, velocity, timestep):
    """The clean latents that a predicted velocity stands for: LCM's consistency function, whose scalings are 0 and 1 here."""
    a = alpha_at(timestep)
    return a.sqrt() * latents - (1 - a).sqrt() * velocity


def move(latents, velocity, start, end):
    """A DDIM step along the predicted velocity, from one timestep to another."""
    a, b = alpha_at(start), alpha_at(end)
    noise = a.sqrt() * velocity + (1 - a).sqrt() * latents
    return b.sqrt() * clean_of(latents, velocity, start) + (1 - b).sqrt() * noise


def noised(clean, timestep, generator):
    a = alpha_at(timestep)
    return channels_last(a.sqrt() * clean + (1 - a).sqrt() * torch.randn(clean.shape, generator=generator))


def channels_last(latents):
    return latents.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def sample(answer, noise, context, steps, generator):
    """Latents [N, 4, h, w] from noise by LCM's steps; `answer` is the student."""
    latents = noise
    timesteps = lcm_timesteps(steps)
    for start, end in zip(timesteps, [*timesteps[1:], -1]):
        clean = clean_of(latents, answer(latents, torch.full((len(latents),), start), context), start)
        latents = noised(clean, end, generator)
    return latents


@torch.no_grad()
def walk(model, latents, context, empty, guidance, first):
    """The model's way down from the student's timestep `first` (0..7): latents [8 - first, N, 4, h, w] at the student's
    timesteps, and the end [N, 4, h, w]."""
    times = [*lcm_timesteps(WALK_STEPS), -1][first * WALK_STEPS // STUDENT_STEPS :]
    seen = []
    for i, (start, end) in enumerate(zip(times, times[1:])):
        if i % (WALK_STEPS // STUDENT_STEPS) == 0:
            seen.append(latents)
        velocity = diffusion.guided_velocity(model, latents, start, context, empty.expand_as(context), guidance)
        latents = move(latents, velocity, start, end)
    return torch.stack(seen), latents


def make_walks(model, encode, known, options):
    """Writes walks-N.pt into --work, a batch each, those that are missing."""
    empty = encode([""])
    earlier = None
    for number in range(-(-options.walks // BATCH)):
        file = options.work / f"walks-{number:04}.pt"
        if file.exists():
            earlier = torch.load(file)["end"]
            continue
        rng, generator = np.random.default_rng((options.seed, number)), torch.Generator().manual_seed(1000 * options.seed + number)
        captions = captions_of(known, rng)
        context = encode([next(captions) for _ in range(BATCH)])
        first = 0 if earlier is None or number % 2 == 0 else int(rng.integers(STUDENT_STEPS))
        if earlier is None or number % 2 == 0:
            start = channels_last(torch.randn((BATCH, *LATENTS), generator=generator))
        else:
            start = noised(earlier, lcm_timesteps(STUDENT_STEPS)[first], generator)
        seen, earlier = walk(model, start, context, empty, options.guidance, first)
        save({"first": first, "seen": seen, "end": earlier, "context": context}, file)
        print(json.dumps({"walks": (number + 1) * BATCH, "of": options.walks}), flush=True)


def save(data, file):
    """So that a stop leaves the old file or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(data, file.with_suffix(".part"))
    os.replace(file.with_suffix(".part"), file)


class Walks:
    """The batches in a folder, which another process may still be adding to."""

    def __init__(self, folder):
        self.folder, self.batches, self.points = folder, {}, []

    def refresh(self):
        for file in sorted(self.folder.glob("walks-*.pt")):
            if file.name not in self.batches:
                self.batches[file.name] = batch = torch.load(file)
                self.points += [(file.name, i) for i in range(len(batch["seen"]))]

    def draw(self, generator):
        """(latents, context, end, timestep): one timestep of some walks of a batch."""
        name, i = self.points[torch.randint(len(self.points), (1,), generator=generator).item()]
        batch = self.batches[name]
        rows = torch.randperm(len(batch["end"]), generator=generator)[:DRAWN]
        timestep = lcm_timesteps(STUDENT_STEPS)[batch["first"] + i]
        return channels_last(batch["seen"][i][rows]), batch["context"][rows], batch["end"][rows], timestep


def distance(found, wanted):
    """Pseudo-Huber over whole latents: a walk that nobody can foresee weighs no more than one that is nearly right."""
    return ((found - wanted).square().mean((1, 2, 3)) + SMALL**2).sqrt().mean()


def train(student, walks, options):
    """Takes the steps that are left after those of earlier runs; the rate falls over the last half of all."""
    optimizer = torch.optim.AdamW(student.parameters(), RATE, weight_decay=0.0, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(options.seed + 1)
    checkpoint = options.work / "student.pt"
    first, mean = 0, None
    if checkpoint.exists():
        kept = torch.load(checkpoint)
        student.load(kept["student"])
        optimizer.load_state_dict(kept["optimizer"])
        generator.set_state(kept["generator"])
        first = kept["step"]
    saved = time.time()
    for step in range(first, options.steps):
        if step % 10 == 0:
            walks.refresh()
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 20, 2 * (1 - step / options.steps) + 0.02)
        latents, context, end, timestep = walks.draw(generator)
        # A quarter of the keys in three of four steps, as the model itself was trained.
        Transformer.thin_keys = step % 4 != 0
        found = clean_of(latents, student.run("trained", latents, torch.full((len(latents),), timestep), context), timestep)
        loss = distance(found, end)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        student.follow(min(AVERAGE, (step + 1) / (step + 10)))
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 20 == 19:
            print(json.dumps({"step": step + 1, "loss": round(mean, 4), "points": BATCH * len(walks.points)}), flush=True)
        if time.time() - saved > CHECKPOINT_SECONDS:
            saved = time.time()
            save({"student": student.state(), "optimizer": optimizer.state_dict(), "generator": generator.get_state(),
                  "step": step + 1}, checkpoint)
    Transformer.thin_keys = False


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True, help="the model folder")
    arguments.add_argument("--to", type=Path, required=True, help="the LoRA's file")
    arguments.add_argument("--work", type=Path, default=Path.home() / ".cache/tokenflow-demo-student",
                           help="a folder that keeps walks and checkpoints for another run")
    arguments.add_argument("--only", choices=("walks", "training"), help="so that two processes do both at the same time")
    arguments.add_argument("--rank", type=int, default=8)
    arguments.add_argument("--guidance", type=float, default=5.0)
    arguments.add_argument("--walks", type=int, default=400)
    arguments.add_argument("--steps", type=int, default=400, help="of training")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = load_unet(options.model).to(memory_format=torch.channels_last)
    if options.only != "training":
        make_walks(model, *load_captioner(options.model), options)
    if options.only == "walks":
        return
    student, walks = Student(model, options.rank), Walks(options.work)
    while not walks.points:  # another process has only begun
        walks.refresh()
        time.sleep(1)
    train(student, walks, options)
    write_half(options.to, student.tensors())
    print(json.dumps({"lora": str(options.to), "megabytes": round(options.to.stat().st_size / 1e6, 2)}))


if __name__ == "__main__":
    main()
