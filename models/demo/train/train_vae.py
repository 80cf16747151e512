"""Trains the autoencoder on the rendered images: python3 train_vae.py --minutes 45 --finish-minutes 15

Begins with weights that pass a picture through (linear_start.py); whole images are most frequent at the end. Run again to go on after a stop. At the end the latents are whitened
and the weights written to vae.pt. --decoder-only then trains the decoder of vae.pt further and leaves the latents, and
so a UNet that was trained on them, as they are.
"""
import copy
import math
import time

import numpy as np
import torch
from torch.nn import functional as F

from autoencoder import SCALING_FACTOR, Autoencoder
from compiled import Compiled
from dataset import CELL, SIZE, held_out, open_arrays, rendered
from linear_start import pace, start_linear
from picture_loss import picture_loss
from png import contact_sheet, write_png
from schedule import Clock, Schedule, add_arguments
from shared_adam import SharedAdam, launch, processes
from workspace import Log, device_name, parser, save_atomically

RATE = 1.5e-3
KL_WEIGHT = 1e-4
# Per process and step on a CPU: edge of the crops, how many; a GPU takes PER_GPU times as many.
CROPS = {64: 8, 96: 5, 128: 3, 256: 1}
PER_GPU = 24
CROP_SHARES = {64: 0.2, 96: 0.4, 128: 0.4}  # of the steps that take crops
REPORT_SECONDS, SAVE_SECONDS = 420, 120


def crop_edge(rng, device, remaining):
    """Crops and some whole images, more of them while the rate falls. On a GPU whole images alone: every size is compiled."""
    if device == "cuda":
        return SIZE
    whole = 0.15 if remaining == 1 else 0.5
    return int(rng.choice((*CROP_SHARES, SIZE), p=(*(share * (1 - whole) for share in CROP_SHARES.values()), whole)))


def to_unit(images):
    """uint8 [N, H, W, 3] -> float [N, 3, H, W] in [-1, 1], channels last."""
    tensor = images if torch.is_tensor(images) else torch.from_numpy(np.array(images))
    return tensor.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(pictures):
    """The inverse of to_unit, clipped."""
    return ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


class Pictures:
    """Training images; on a GPU they live there. Those that are still being rendered are taken up as they come."""

    def __init__(self, work, device):
        self.work, self.device = work, device
        self.images, self.masks = open_arrays(work)
        self.first, self.last, self.looked = held_out(len(self.images)), rendered(work), time.time()
        if device == "cuda":
            self.on_device = [torch.empty(a.shape, dtype=torch.uint8, device=device) for a in (self.images, self.masks)]
            self.take_up(0, self.last)

    def take_up(self, first, last):
        """Copies images that have been finished to the GPU."""
        for on_device, array in zip(self.on_device, (self.images, self.masks)):
            for start in range(first, last, 2048):
                rows = slice(start, min(start + 2048, last))
                on_device[rows] = torch.from_numpy(np.array(array[rows])).to(self.device)

    def look_for_more(self):
        if self.last < len(self.images) and time.time() - self.looked > 5:
            last, self.looked = rendered(self.work), time.time()
            if self.device == "cuda":
                self.take_up(self.last, last)
            self.last = last

    def draw(self, rng, edge, count):
        """(pictures [-1, 1], weights [N, 1, edge, edge]) of random crops."""
        self.look_for_more()
        rows = rng.integers(self.first, self.last, count)
        top, left = (CELL * rng.integers(0, (SIZE - edge) // CELL + 1, count) for _ in range(2))
        mirrored = rng.random(count) < 0.5
        pictures, cells = (
            self.cut(array, rows, top // cell, left // cell, mirrored, edge // cell)
            for array, cell in zip(self.on_device if self.device == "cuda" else (self.images, self.masks), (1, CELL))
        )
        return to_unit(pictures), 1 + F.interpolate(cells[:, None].float() / 255, scale_factor=CELL)

    def cut(self, array, rows, top, left, mirrored, edge):
        """[N, edge, edge, ...]: squares of some rows of [images, H, W, ...], some of them mirrored, in one operation."""
        rows, top, left, mirrored = (torch.from_numpy(part)[:, None, None].to(self.device) for part in (rows, top, left, mirrored))
        along = torch.arange(edge, device=self.device)
        places = rows, top + along[:, None], left + torch.where(mirrored, edge - 1 - along, along)
        return array[places] if self.device == "cuda" else torch.from_numpy(array[tuple(place.numpy() for place in places)])


@torch.no_grad()
def reconstruct(vae, images, device):
    """uint8 images through encoder mean and decoder."""
    parts = [to_unit(images[i : i + 8]).to(device) for i in range(0, len(images), 8)]
    return np.concatenate([to_bytes(vae.decode(vae.encode(part)[0])) for part in parts])


def psnr(images, outputs):
    """Mean over images, in dB."""
    squared = (images.astype(np.float32) - outputs.astype(np.float32)) ** 2
    return float((10 * np.log10(255**2 / squared.mean((1, 2, 3)))).mean())


def whiten(vae, images, device):
    """Folds a rotation-free whitening into quant_conv and post_quant_conv: scaled latents get unit covariance."""
    with torch.no_grad():
        means = torch.cat([vae.encode(to_unit(images[i : i + 16]).to(device))[0] for i in range(0, len(images), 16)])
        flat = means.double().cpu().transpose(0, 1).flatten(1)  # [4, N*h*w]
        centre = flat.mean(1)
        values, vectors = torch.linalg.eigh(torch.cov(flat))
        forward = vectors @ torch.diag(values**-0.5) @ vectors.T / SCALING_FACTOR
        backward = torch.linalg.inv(forward)
        quant, post = vae.quant_conv, vae.post_quant_conv
        mean_weight, mean_bias = quant.weight[:4, :, 0, 0].double().cpu(), quant.bias[:4].double().cpu()
        quant.weight[:4, :, 0, 0] = (forward @ mean_weight).float().to(device)
        quant.bias[:4] = (forward @ (mean_bias - centre)).float().to(device)
        quant.bias[4:] -= 2 * math.log(SCALING_FACTOR)
        post_weight = post.weight[:, :, 0, 0].double().cpu()
        post.bias += (post_weight @ centre).float().to(device)
        post.weight[:, :, 0, 0] = (post_weight @ backward).float().to(device)
    return values.tolist()


def report(work, vae, device, log, count=24, **facts):
    """Measures held-out images and draws some of them."""
    images = open_arrays(work)[0]
    images = np.array(images[: min(count, held_out(len(images)))])
    outputs = reconstruct(vae, images, device)
    log(**facts, psnr=round(psnr(images, outputs), 2))
    sheet = np.concatenate([part for i in range(0, min(12, len(images)), 6) for part in (images[i : i + 6], outputs[i : i + 6])])
    write_png(work / "vae.png", contact_sheet(sheet, 6))


def train(options, device):
    work, decoder_only = options.work, options.decoder_only
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    vae = Autoencoder().to(device)
    start = work / ("vae.pt" if decoder_only else "vae-start.pt")
    if decoder_only or start.exists():
        vae.load_state_dict(torch.load(start, map_location=device))
    else:
        images = open_arrays(work)[0]
        first = held_out(len(images))
        start_linear(vae, to_unit(images[first : min(first + 16, rendered(work))]).to(device))
    averaged = copy.deepcopy(vae)
    trained = lambda net: [net.post_quant_conv, net.decoder] if decoder_only else [net]
    adam = SharedAdam(trained(vae), processes(device))
    adam.set_pace(pace(vae))
    adam.mirror_average(trained(averaged))
    name = "vae-decoder" if decoder_only else "vae"
    checkpoint = work / f"{name}-checkpoint.pt"
    state = adam.load(checkpoint) if checkpoint.exists() else {"spent": 0.0, "finish_from": None}
    schedule = Schedule(options.minutes, options.finish_minutes, state["spent"], state["finish_from"])
    clock, log = Clock(options.wall, state["spent"]), Log(work, name)
    batch = options.gpu_batch if device == "cuda" else 1

    def objective(target, weight):
        """(what is minimised, the part of it that pictures make)"""
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device == "cuda"):
            if decoder_only:
                with torch.no_grad():
                    mean = vae.encode(target)[0]
                loss = picture_loss(target, vae.decode(mean), weight)
                return loss, loss
            mean, log_variance = vae.encode(target)
            output = vae.decode(mean + torch.randn_like(mean) * (0.5 * log_variance).exp())
            divergence = 0.5 * (mean.pow(2) + log_variance.exp() - 1 - log_variance).mean()
            loss = picture_loss(target, output, weight)
        return loss + KL_WEIGHT * divergence, loss

    passes = Compiled(objective, adam.zero_grad, device == "cuda" and options.compile)

    def run(rank):
        adam.attach(rank)
        torch.manual_seed(1000 * adam.step + rank)
        rng = np.random.default_rng((adam.step, rank))
        pictures = Pictures(work, device)
        clock.start()
        saved = reported = time.time()
        losses = []
        while True:
            seconds = adam.agree(clock.seconds())
            remaining = schedule.remaining(seconds)
            if rank == 0 and (time.time() - saved > options.save_seconds or not remaining):
                saved = time.time()
                adam.save(checkpoint, spent=seconds, finish_from=schedule.to_resume(seconds))
            if rank == 0 and (time.time() - reported > options.report_seconds or not remaining):
                facts = {"step": adam.step, "minutes": round(seconds / 60, 1), "rate": round(remaining, 3)}
                report(work, averaged, device, log, **facts, loss=round(float(sum(losses)) / max(1, len(losses)), 4))
                losses, reported = [], time.time()
            if not remaining:
                return
            edge = crop_edge(np.random.default_rng(adam.step), device, remaining)
            target, weight = (t.to(device, memory_format=torch.channels_last) for t in pictures.draw(rng, edge, max(1, round(CROPS[edge] * batch))))
            loss = passes.gradients(target, weight)
            if rank == 0:
                losses.append(loss)
            adam.update(RATE * min(1, (adam.step + 1) / 100) * remaining, weight_decay=0, clip=2.0, average_decay=0.998)

    launch(run, device)
    complete(work, device, decoder_only)


def complete(work, device, decoder_only=False):
    """Writes vae.pt from the averaged weights of the last checkpoint; new latents are whitened."""
    vae = Autoencoder().to(device)
    if decoder_only:
        vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    name = "vae-decoder" if decoder_only else "vae"
    adam, log = SharedAdam([vae.post_quant_conv, vae.decoder] if decoder_only else [vae], 1), Log(work, name)
    adam.load(work / f"{name}-checkpoint.pt")
    adam.use_average()
    if not decoder_only:
        images = np.array(open_arrays(work)[0][: min(384, rendered(work) // 2)])
        log(latent_variances=[round(v, 3) for v in whiten(vae, images, device)])
    save_atomically({key: value.cpu().contiguous().clone() for key, value in vae.state_dict().items()}, work / "vae.pt")
    report(work, vae, device, log, count=min(64, held_out(len(open_arrays(work)[0]))), finished=True)
    if decoder_only:
        (work / f"{name}-checkpoint.pt").unlink()


def main():
    arguments = parser(__doc__.splitlines()[0])
    add_arguments(arguments)
    arguments.add_argument("--decoder-only", action="store_true", help="keep the latents of vae.pt")
    arguments.add_argument("--gpu-batch", type=float, default=PER_GPU, help="how many times the batch of a CPU's process a GPU takes")
    arguments.add_argument("--report-seconds", type=float, default=REPORT_SECONDS)
    arguments.add_argument("--no-compile", dest="compile", action="store_false", help="on a GPU: spare the minute that compiling takes")
    arguments.add_argument("--save-seconds", type=float, default=SAVE_SECONDS, help="wall time between two checkpoints")
    options = arguments.parse_args()
    torch.manual_seed(0)
    train(options, device_name())


if __name__ == "__main__":
    main()
