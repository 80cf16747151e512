"""Encodes the training images with vae.pt: python3 encode.py --size 64 --views 2, then python3 encode.py --size 128

Writes latents-16.npy or latents-32.npy, float16 [views, N, 4, h, h], already scaled; a second view is mirrored.
"""
from multiprocessing import get_context

import numpy as np
import torch
from torch.nn import functional as F

from autoencoder import SCALING_FACTOR, Autoencoder
from dataset import SIZE
from train_vae import to_unit
from workspace import parser


def encode_share(work, size, device, share, shares):
    torch.set_num_threads(1)
    images = np.load(work / "images.npy", mmap_mode="r")
    latents = np.load(work / f"latents-{size // 4}.part.npy", mmap_mode="r+")
    vae = Autoencoder().to(device)
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
        for start in range(32 * share, len(images), 32 * shares):
            pictures = to_unit(images[start : start + 32]).to(device)
            if size < SIZE:
                pictures = F.avg_pool2d(pictures, SIZE // size)
            for mirrored, view in enumerate((pictures, pictures.flip(3))[: len(latents)]):
                latents[mirrored, start : start + 32] = vae.encode(view)[0].mul(SCALING_FACTOR).cpu().numpy()


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--size", type=int, choices=(64, 128), required=True, help="edge of the images in pixels")
    arguments.add_argument("--views", type=int, choices=(1, 2), default=1, help="2 adds the mirrored images")
    options = arguments.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    count = len(np.load(options.work / "images.npy", mmap_mode="r"))
    edge = options.size // 4
    part = options.work / f"latents-{edge}.part.npy"
    np.lib.format.open_memmap(part, "w+", np.float16, (options.views, count, 4, edge, edge))
    shares = 1 if device == "cuda" else 2
    work = [get_context("spawn").Process(target=encode_share, args=(options.work, options.size, device, i, shares)) for i in range(shares)]
    for process in work:
        process.start()
    for process in work:
        process.join()
    if any(process.exitcode for process in work):
        raise SystemExit("encoding failed; the message is above.")
    part.rename(options.work / f"latents-{edge}.npy")


if __name__ == "__main__":
    main()
