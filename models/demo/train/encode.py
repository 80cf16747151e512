"""Encodes the training images with vae.pt: python3 encode.py

Writes latents.npy, float16 [views, N, 4, 32, 32], already scaled; a second view, of the mirrored images, is made on a GPU
alone, where it costs seconds. Goes on after a stop.
"""
from multiprocessing import get_context

import numpy as np
import torch

from autoencoder import SCALING_FACTOR, Autoencoder
from dataset import open_arrays, rendered
from train_vae import to_unit
from workspace import Log, device_name, parser, write_atomically

EDGE = 32  # of a latent
VIEWS = {"cpu": 1, "cuda": 2}


def encode_share(work, part, device, share, shares, batch):
    images, latents = open_arrays(work)[0], np.load(part, mmap_mode="r+")
    vae = Autoencoder().to(device)
    vae.load_state_dict(torch.load(work / "vae.pt", map_location=device))
    done_file = work / f"encoded-{share}.txt"
    first = int(done_file.read_text()) if done_file.exists() else batch * share
    with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16, enabled=device == "cuda"):
        for start in range(first, latents.shape[1], batch * shares):
            pictures = to_unit(torch.from_numpy(np.array(images[start : start + batch])).to(device))
            for mirrored, view in enumerate((pictures, pictures.flip(3))[: len(latents)]):
                latents[mirrored, start : start + batch] = vae.encode(view)[0].mul(SCALING_FACTOR).float().cpu().numpy()
            write_atomically(done_file, str(start + batch * shares))


def encode_all(work, device):
    count = rendered(work)
    part, shares = work / "latents.part.npy", 1 if device == "cuda" else 2
    if not part.exists() or np.load(part, mmap_mode="r").shape[:2] != (VIEWS[device], count):
        np.lib.format.open_memmap(part, "w+", np.float16, (VIEWS[device], count, 4, EDGE, EDGE))
        for file in work.glob("encoded-*.txt"):
            file.unlink()
    if device == "cuda":
        encode_share(work, part, device, 0, 1, 128)
    else:
        torch.set_num_threads(1)
        run = [get_context("fork").Process(target=encode_share, args=(work, part, device, i, shares, 16)) for i in range(shares)]
        for process in run:
            process.start()
        for process in run:
            process.join()
        if any(process.exitcode for process in run):
            raise SystemExit("encoding failed; the message is above. Run the same command to go on.")
    part.rename(work / "latents.npy")
    for file in work.glob("encoded-*.txt"):
        file.unlink()
    Log(work, "encode")(encoded=count)


def main():
    options = parser(__doc__.splitlines()[0]).parse_args()
    encode_all(options.work, device_name())


if __name__ == "__main__":
    main()
