"""Trains a ControlNet of edges for a model folder: python3 train_control.py --model .. --to ../controlnet-canny

Images come from the work folder (dataset.py renders them). The UNet stays as it is. Half of the captions are left out, so
that the edges are all that says what is where (arXiv 2302.05543, section 3.3). Run it again to go on after a stop: the
checkpoint is control.pt in the work folder.
"""
import json
import time
from pathlib import Path

import numpy as np
import torch

from autoencoder import SCALING_FACTOR, Autoencoder
from control import ControlNet, canny, config_of
from dataset import held_out, open_arrays, rendered, scenes
from diffusion import STEPS, signal_and_noise
from export import write_json
from model_folder import load_captioner, load_unet
from safetensors_file import read_half, write_mixed
from train_vae import to_unit
from workspace import Log, device_name, parser, save_atomically
from world import random_caption

RATE, WARM_UP_STEPS = 5e-4, 50
NO_CAPTION = 0.5
SAVE_SECONDS = 180


class Pictures:
    """Draws latents, edges and captions of training images."""

    def __init__(self, work, vae, known, device):
        self.images = open_arrays(work)[0]
        self.first, self.last = held_out(len(self.images)), rendered(work)
        self.words, self.vae, self.known, self.device = scenes(work), vae, known, device

    def caption(self, rng, row):
        """Empty in half of all cases, and where the model does not know a word of it."""
        caption = "" if rng.random() < NO_CAPTION else random_caption(rng, self.words[row])
        return caption if all(word in self.known for word in caption.split()) else ""

    @torch.no_grad()
    def draw(self, rng, count):
        """(latents [N, 4, h, w], edges [N, 3, 256, 256] of 0 and 1, captions)."""
        rows = np.sort(rng.integers(self.first, self.last, count))
        images = np.array(self.images[rows])
        turned = rng.random(count) < 0.5
        images[turned] = images[turned, :, ::-1]
        edges = torch.from_numpy(np.stack([canny(image) for image in images])).float()
        mean, _ = self.vae.encode(to_unit(images).to(self.device))
        captions = [self.caption(rng, row) for row in rows]
        return mean * SCALING_FACTOR, edges[:, None].expand(-1, 3, -1, -1).to(self.device), captions


def vae_config(folder):
    return json.loads((folder / "vae/config.json").read_text())


def levels_of(folder):
    return len(vae_config(folder)["block_out_channels"])


def load_vae(folder):
    vae = Autoencoder(vae_config(folder))
    vae.load_state_dict(read_half(folder / "vae/diffusion_pytorch_model.safetensors"))
    return vae.eval()


def loss_of(model, control, drawn, encode, generator):
    """Mean squared error of v."""
    clean, edges, captions = drawn
    timesteps = torch.randint(0, STEPS, (len(clean),), generator=generator).to(clean.device)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    signal, noise_level = signal_and_noise(timesteps)
    noisy, velocity = signal * clean + noise_level * noise, signal * noise - noise_level * clean
    context = encode(captions).to(clean.device)
    found = model(noisy, timesteps, context, control(noisy, timesteps, context, edges))
    return (found - velocity).pow(2).mean()


def train(options, device):
    model = load_unet(options.model).to(device).requires_grad_(False)
    encode, known = load_captioner(options.model)
    control = ControlNet(model, levels_of(options.model)).to(device).requires_grad_(True)
    pictures = Pictures(options.work, load_vae(options.model).to(device), known, device)
    optimizer = torch.optim.AdamW(control.parameters(), RATE, weight_decay=0.0, betas=(0.9, 0.99))
    checkpoint, log, first = options.work / "control.pt", Log(options.work, "control"), 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device)
        control.load_state_dict(kept["control"])
        optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]
    saved, recent = time.time(), []
    for step in range(first, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM_UP_STEPS, 2 * (1 - step / options.steps) + 0.02)
        generator = torch.Generator().manual_seed(1000 * options.seed + step)
        drawn = pictures.draw(np.random.default_rng((options.seed, step)), options.batch)
        loss = loss_of(model, control, drawn, encode, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recent.append(loss.item())
        if (step + 1) % options.log_steps == 0 or step + 1 == options.steps:
            log(step=step + 1, v_mse=round(float(np.mean(recent)), 4))
            recent = []
        if time.time() - saved > SAVE_SECONDS or step + 1 == options.steps:
            saved = time.time()
            state = {"control": control.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            save_atomically(state, checkpoint)
    return control


def write_control(to, control, model_folder):
    config = json.loads((model_folder / "unet/config.json").read_text())
    write_json(to / "config.json", config_of(config, levels_of(model_folder)))
    write_mixed(to / "diffusion_pytorch_model.safetensors", *control.tensors())


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True, help="the model folder")
    arguments.add_argument("--to", type=Path, required=True, help="the ControlNet's folder")
    arguments.add_argument("--steps", type=int, default=6000, help="over all runs")
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--log-steps", type=int, default=50)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    write_control(options.to, train(options, device_name()), options.model)
    size = (options.to / "diffusion_pytorch_model.safetensors").stat().st_size
    print(json.dumps({"controlnet": str(options.to), "megabytes": round(size / 1e6, 2)}))


if __name__ == "__main__":
    main()
