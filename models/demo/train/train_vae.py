"""Trains the autoencoder on the rendered images: python3 train_vae.py --minutes 15

Starts on 64-pixel crops and half-size images, ends on whole 128-pixel images. Run again to go on after a stop.
At the end the latents are whitened and the weights written to vae.pt.
"""
import copy
import json
import math
import time

import numpy as np
import torch
from torch.nn import functional as F

from autoencoder import SCALING_FACTOR, Autoencoder
from colour_measure import hue_degrees, hue_error, object_colour
from dataset import CELL, HELD_OUT
from picture_loss import picture_loss
from png import contact_sheet, write_png
from shared_adam import SharedAdam, launch, processes
from workspace import parser

WHOLE_IMAGES_FROM = 0.72  # share of the time after which images are whole
RATE = 2e-3
KL_WEIGHT = 1.5e-4


def to_unit(images):
    """uint8 [N, H, W, 3] -> float [N, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_bytes(pictures):
    """The inverse of to_unit, clipped."""
    return ((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def draw_batch(images, masks, rng, count, progress):
    """(pictures [-1, 1], weights [N, 1, H, W]) at the size of this part of the training."""
    last = len(images) - HELD_OUT
    whole = progress >= WHOLE_IMAGES_FROM
    rows = rng.integers(0, last, max(2, count // 3) if whole else count)
    pictures, weight = to_unit(images[rows]), torch.from_numpy(masks[rows]).float()[:, None] / 255
    weight = 1 + F.interpolate(weight, scale_factor=CELL)
    if not whole and rng.random() < 0.35:
        pictures, weight = F.avg_pool2d(pictures, 2), F.avg_pool2d(weight, 2)
    elif not whole:
        top, left = (int(v) for v in rng.integers(0, 65, 2))
        pictures, weight = (t[:, :, top : top + 64, left : left + 64] for t in (pictures, weight))
    if rng.random() < 0.5:
        pictures, weight = pictures.flip(3), weight.flip(3)
    return pictures, weight


def guide_loss(pictures, mean):
    """Pulls the first three latent channels towards the local mean colour: without it colours get lost."""
    return (mean[:, :3] - 1.5 * F.avg_pool2d(pictures, CELL)).pow(2).mean()


@torch.no_grad()
def reconstruct(vae, images, device):
    """uint8 images through encoder mean and decoder, 16 at a time."""
    batches = [to_unit(images[i : i + 16]).to(device) for i in range(0, len(images), 16)]
    return np.concatenate([to_bytes(vae.decode(vae.encode(batch)[0])) for batch in batches])


def measure(images, masks, outputs):
    """PSNR in dB (mean over images) and the share of objects whose hue moved at most 15 degrees."""
    squared = (images.astype(np.float32) - outputs.astype(np.float32)) ** 2
    psnr = 10 * np.log10(255**2 / squared.mean((1, 2, 3)))
    full = masks.astype(np.float32).repeat(CELL, 1).repeat(CELL, 2) / 255
    hues = [hue_degrees(object_colour(group, full))[0] for group in (images, outputs)]
    return {"psnr": float(psnr.mean()), "hue kept": float((hue_error(*hues) <= 15).mean())}


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


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=15, help="wall time of the whole training")
    arguments.add_argument("--batch", type=int, default=12, help="64-pixel images per process and step")
    options = arguments.parse_args()
    work, limit = options.work, options.minutes * 60
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    images = np.load(work / "images.npy", mmap_mode="r")
    masks = np.load(work / "masks.npy")
    vae = Autoencoder().to(device)
    averaged = copy.deepcopy(vae)
    adam = SharedAdam([vae], processes(device))
    adam.mirror_average([averaged])
    checkpoint = work / "vae-checkpoint.pt"
    spent = adam.load(checkpoint)["spent"] if checkpoint.exists() else 0.0

    def run(rank):
        adam.attach(rank)
        torch.manual_seed(1000 * adam.step + rank)
        rng = np.random.default_rng((adam.step, rank))
        started, report, save = time.time() - spent, spent + 60, spent + 120
        while True:
            elapsed = adam.agree(time.time() - started)
            progress = min(1.0, elapsed / limit)
            if rank == 0 and (elapsed > report or progress == 1):
                report = elapsed + 60
                held = slice(len(images) - 32, len(images))
                outputs = reconstruct(averaged, images[held], device)
                line = {"step": adam.step, "seconds": round(elapsed), **measure(images[held], masks[held], outputs)}
                print(json.dumps(line), flush=True)
                sheet = np.concatenate([images[held][:8], outputs[:8], images[held][8:16], outputs[8:16]])
                write_png(work / "vae.png", contact_sheet(sheet, 8))
            if rank == 0 and (elapsed > save or progress == 1):
                save = elapsed + 120
                adam.save(checkpoint, spent=elapsed)
            if progress == 1:
                return
            pictures, weight = (t.to(device) for t in draw_batch(images, masks, rng, options.batch, progress))
            adam.zero_grad()
            with torch.autocast(device, dtype=torch.bfloat16):
                mean, log_variance = vae.encode(pictures)
                sampled = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
                outputs = vae.decode(sampled)
            divergence = 0.5 * (mean.pow(2) + log_variance.exp() - 1 - log_variance).mean()
            guide = max(0.02, 0.5 * (1 - progress / 0.3)) * guide_loss(pictures, mean)
            (picture_loss(pictures, outputs, weight) + KL_WEIGHT * divergence + guide).backward()
            rate = RATE * min(1, (adam.step + 1) / 60) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-5
            adam.update(rate, weight_decay=0, clip=2.0, average_decay=0.995)

    launch(run, device)
    adam.use_average()
    print("latent variances before whitening", whiten(vae, images[:1024], device))
    torch.save({name: value.cpu().clone() for name, value in vae.state_dict().items()}, work / "vae.pt")
    outputs = reconstruct(vae, images[-HELD_OUT:], device)
    print("held out", json.dumps(measure(images[-HELD_OUT:], masks[-HELD_OUT:], outputs)))


if __name__ == "__main__":
    main()
