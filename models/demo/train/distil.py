"""Distils a demo model into a LoRA of few steps without guidance: python3 distil.py --model .. --minutes 20 --to FILE

Trajectory distillation, as of progressive distillation (Salimans and Ho, arXiv 2202.00512) in one stage: the model, with its
guidance, walks from noise to a picture in small steps; the student learns to take each of its few steps at once, between
trailing timesteps, as SD-Turbo and SDXL-Lightning have them. Nothing but the model is needed: no pictures, no encoder.

--model is a model folder as export.py writes it, of any edition: sizes come from its configs, and captions are drawn from
the world of this folder as far as the model's tokenizer has their words as whole tokens.

The LoRA has the names of PEFT (unet.KEY.lora_A.weight, unet.KEY.lora_B.weight, alpha = rank) in half precision. --merged
FOLDER also writes the whole model with the LoRA in its weights and with the schedule that belongs to it.
"""
import argparse
import json
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import diffusion
import text_encoder
import unet
import world
from safetensors_file import read_half, write_half

LATENTS = (4, 32, 32)
BATCH = 8
SUBSTEPS = 4  # small steps of the model in each step of the student
RATE = 1e-3


class Adapted(nn.Module):
    """A linear layer or a convolution whose weight gets a change of low rank: weight + up @ down."""

    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer
        out, inputs = layer.weight.shape[0], layer.weight[0].numel()
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(out, rank))

    def weight(self):
        return self.layer.weight + (self.up @ self.down).view_as(self.layer.weight)

    def forward(self, x):
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, self.weight(), self.layer.bias)
        return F.conv2d(x, self.weight(), self.layer.bias, self.layer.stride, self.layer.padding)

    def tensors(self, name):
        """As PEFT stores them: the first factor of a convolution has its kernel, the second one has a kernel of 1."""
        shape = self.layer.weight.shape
        down = self.down.view(-1, *shape[1:])
        up = self.up if len(shape) == 2 else self.up[:, :, None, None]
        return {f"unet.{name}.lora_A.weight": down, f"unet.{name}.lora_B.weight": up}


def adapt(network, rank):
    """Wraps every layer of a UNet but its first and last; returns the wrappers by name."""
    network.requires_grad_(False)
    found = {}
    for name, layer in list(network.named_modules()):
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and name not in ("conv_in", "conv_out"):
            parent, _, own = name.rpartition(".")
            found[name] = Adapted(layer, rank)
            setattr(network.get_submodule(parent), own, found[name])
    return found


def load_unet(folder):
    """The UNet of a model folder, whatever its widths."""
    config = json.loads((folder / "unet/config.json").read_text())
    unet.CHANNELS, unet.LAYERS = config["block_out_channels"], config["layers_per_block"]
    unet.HEADS, unet.CONTEXT = config["attention_head_dim"], config["cross_attention_dim"]
    unet.GROUPS, unet.EPS, unet.TIME = config["norm_num_groups"], config["norm_eps"], 4 * unet.CHANNELS[0]
    network = unet.UNet()
    network.load_state_dict(read_half(folder / "unet/diffusion_pytorch_model.safetensors"))
    return network.eval()


def load_captioner(folder):
    """The text encoder of a model folder: a function from captions to contexts, and the words that it knows."""
    config = json.loads((folder / "text_encoder/config.json").read_text())
    vocabulary = json.loads((folder / "tokenizer/vocab.json").read_text())
    text_encoder.WIDTH, text_encoder.HEADS = config["hidden_size"], config["num_attention_heads"]
    text_encoder.LAYERS, text_encoder.MLP_WIDTH = config["num_hidden_layers"], config["intermediate_size"]
    text_encoder.LENGTH, text_encoder.VOCABULARY = config["max_position_embeddings"], vocabulary
    network = text_encoder.TextEncoder()
    network.load_state_dict(read_half(folder / "text_encoder/model.safetensors"))
    start, end, length = config["bos_token_id"], config["eos_token_id"], config["max_position_embeddings"]

    def ids(caption):
        words = [vocabulary[word + "</w>"] for word in caption.split()][: length - 2]
        return [start, *words, *[end] * (length - 1 - len(words))]

    @torch.no_grad()
    def encode(captions):
        return network(torch.tensor([ids(caption) for caption in captions]))

    return encode, {token[:-4] for token in vocabulary if token.endswith("</w>")}


def captions_of(known, rng):
    """Endless captions of random scenes in words that the model knows."""
    pick = lambda names: names[rng.integers(len(names))]
    while True:
        place = pick(world.BACKGROUNDS)
        scene = {"object": pick(world.OBJECTS), "look": pick(world.LOOKS), "place": place,
                 "time": pick(world.TIMES_OF[place]), "season": pick(world.SEASONS_OF.get(place, ("none",))),
                 "style": pick(tuple(world.STYLES))}
        caption = world.random_caption(rng, scene)
        if all(word in known for word in caption.split()):
            yield caption


def trailing(steps):
    return [round(diffusion.STEPS * (1 - i / steps)) - 1 for i in range(steps)]


def alpha_at(timestep):
    """-1 is the clean picture."""
    return diffusion.ALPHA_CUMPROD[timestep] if timestep >= 0 else torch.tensor(1.0)


def move(latents, velocity, start, end):
    """A DDIM step along the predicted velocity, from one timestep to another."""
    a, b = alpha_at(start), alpha_at(end)
    clean = a.sqrt() * latents - (1 - a).sqrt() * velocity
    noise = a.sqrt() * velocity + (1 - a).sqrt() * latents
    return b.sqrt() * clean + (1 - b).sqrt() * noise


def velocity_between(latents, target, start, end):
    """The velocity with which `move` leads from latents to target."""
    a, b = alpha_at(start), alpha_at(end)
    stays = (a * b).sqrt() + ((1 - a) * (1 - b)).sqrt()
    turns = (a * (1 - b)).sqrt() - ((1 - a) * b).sqrt()
    return (target - stays * latents) / turns


def small_steps(timesteps):
    """The student's timesteps and SUBSTEPS - 1 more in every gap, down to -1."""
    ends = [*timesteps, -1]
    return [round(a + (b - a) * i / SUBSTEPS) for a, b in zip(ends, ends[1:]) for i in range(SUBSTEPS)] + [-1]


@torch.no_grad()
def walk(model, context, empty, timesteps, guidance, generator):
    """The model's latents at the student's timesteps and at the end, each [N, 4, h, w], from noise of the generator."""
    latents = torch.randn((len(context), *LATENTS), generator=generator)
    fine = small_steps(timesteps)
    seen = []
    for i, (start, end) in enumerate(zip(fine, fine[1:])):
        if i % SUBSTEPS == 0:
            seen.append(latents)
        velocity = diffusion.guided_velocity(model, latents, start, context, empty, guidance)
        latents = move(latents, velocity, start, end)
    return [*seen, latents]


def make_data(model, encode, known, timesteps, options):
    """contexts [N, T, C] and walks [steps + 1, N, 4, h, w]; kept in --work, if that is given."""
    kept = options.work and options.work / "walks.pt"
    if kept and kept.exists():
        return torch.load(kept)
    rng, generator = np.random.default_rng(options.seed), torch.Generator().manual_seed(options.seed)
    captions = captions_of(known, rng)
    contexts, walks = [], []
    empty = encode([""])
    for done in range(0, options.walks, BATCH):
        context = encode([next(captions) for _ in range(BATCH)])
        walks.append(torch.stack(walk(model, context, empty.expand_as(context), timesteps, options.guidance, generator)))
        contexts.append(context)
        if done % (8 * BATCH) == 0:
            print(json.dumps({"walks": done + BATCH, "of": options.walks}), flush=True)
    data = torch.cat(contexts), torch.cat(walks, 1)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        torch.save(data, kept)
    return data


def train(student, adapters, data, timesteps, options):
    """Until the minutes are over; the rate falls over the last half of them."""
    contexts, walks = data
    ends = [*timesteps, -1]
    parameters = [p for adapter in adapters.values() for p in (adapter.down, adapter.up)]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=0.0)
    generator = torch.Generator().manual_seed(options.seed + 1)
    begin, step, mean = time.time(), 0, None
    student.train()
    while (share := (time.time() - begin) / 60 / options.minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, step / 20, 2 * (1 - share) + 0.02)
        rows = torch.randint(len(contexts), (BATCH,), generator=generator)
        at = step % len(timesteps)
        latents, target = walks[at, rows], walks[at + 1, rows]
        wanted = velocity_between(latents, target, ends[at], ends[at + 1])
        found = student(latents, torch.full((BATCH,), ends[at]), contexts[rows])
        loss = F.mse_loss(found, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1
        if step % 50 == 0:
            print(json.dumps({"step": step, "loss": round(mean, 4), "minutes": round(share * options.minutes, 1)}), flush=True)
    student.eval()


def write_merged(folder, to, adapters, steps):
    """The model folder with the adapters in its UNet, and with trailing timesteps, its number of steps and no guidance."""
    shutil.copytree(folder, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("train", "samples", "images", "held-out", "judge"))
    weights = read_half(folder / "unet/diffusion_pytorch_model.safetensors")
    for name, adapter in adapters.items():
        weights[f"{name}.weight"] = adapter.weight().detach()
    write_half(to / "unet/diffusion_pytorch_model.safetensors", weights)
    scheduler = {**json.loads((folder / "scheduler/scheduler_config.json").read_text()),
                 "_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}
    (to / "scheduler/scheduler_config.json").write_text(json.dumps(scheduler, indent=2) + "\n")
    (to / "edit-defaults.json").write_text(json.dumps({"guidance": 1, "steps": steps}, indent=2) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True, help="the model folder")
    arguments.add_argument("--to", type=Path, required=True, help="the LoRA's file")
    arguments.add_argument("--merged", type=Path, help="a folder for the whole model with the LoRA in it")
    arguments.add_argument("--work", type=Path, help="a folder that keeps the walks for another run")
    arguments.add_argument("--steps", type=int, default=4)
    arguments.add_argument("--rank", type=int, default=8)
    arguments.add_argument("--guidance", type=float, default=7.5)
    arguments.add_argument("--walks", type=int, default=512)
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = load_unet(options.model)
    encode, known = load_captioner(options.model)
    timesteps = trailing(options.steps)
    data = make_data(model, encode, known, timesteps, options)
    adapters = adapt(model, options.rank)
    train(model, adapters, data, timesteps, options)
    tensors = {key: value for name, adapter in adapters.items() for key, value in adapter.tensors(name).items()}
    write_half(options.to, tensors)
    print(json.dumps({"lora": str(options.to), "megabytes": round(options.to.stat().st_size / 1e6, 2)}))
    if options.merged:
        write_merged(options.model, options.merged, adapters, options.steps)


if __name__ == "__main__":
    main()
