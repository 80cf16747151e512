"""Weights in little room: packs what a training has reached, to take it to another machine and go on there.

    python3 packed.py pack FILE        # vae.pt, judge.pt and the averaged UNet of the work folder, in bfloat16
    python3 packed.py unpack FILE      # into the work folder, as what the trainings start from
    python3 packed.py split FILE       # FILE.part-00, FILE.part-01, ... of at most 15 MiB
    python3 packed.py join FILE.part-00 FILE.part-01 ... --to FOLDER    # a tar of a model folder, unpacked again

bfloat16 keeps what a training needs to go on, and its upper bytes, which are much alike, compress well.
"""
import argparse
import io
import json
import lzma
import struct
import tarfile
from pathlib import Path

import numpy as np
import torch

import autoencoder
import text_encoder
import unet
from autoencoder import Autoencoder
from judge import Judge
from shared_adam import SharedAdam
from text_encoder import TextEncoder
from unet import UNet
from workspace import parser, save_atomically

PART_BYTES = 15 << 20
NETWORKS = {"vae": Autoencoder, "judge": Judge, "unet": UNet, "text_encoder": TextEncoder}
CONFIGS = {"vae": autoencoder.CONFIG, "unet": unet.CONFIG, "text_encoder": text_encoder.CONFIG}


def reached(work):
    """{network: state dict} of what the work folder has, averaged weights."""
    states = {}
    for name, file in (("vae", "vae.pt"), ("judge", "judge.pt")):
        if (work / file).exists():
            states[name] = torch.load(work / file, map_location="cpu")
    if "vae" not in states and (work / "vae-checkpoint.pt").exists():
        states["vae"] = averaged(work / "vae-checkpoint.pt", {"vae": Autoencoder()})["vae"]
    if (work / "unet-checkpoint.pt").exists():
        states |= averaged(work / "unet-checkpoint.pt", {"unet": UNet(), "text_encoder": TextEncoder()})
    return states


def averaged(checkpoint, modules):
    adam = SharedAdam(list(modules.values()), 1)
    adam.load(checkpoint)
    adam.use_average()
    return {name: {key: value.detach().contiguous().clone() for key, value in module.state_dict().items()} for name, module in modules.items()}


def pack(states, path):
    """Header as JSON, then all upper bytes, then all lower bytes, compressed."""
    entries = {name: [[key, list(value.shape)] for key, value in state.items()] for name, state in states.items()}
    header = {"entries": entries, "configs": {name: CONFIGS[name] for name in states if name in CONFIGS}}
    flat = torch.cat([value.float().flatten() for state in states.values() for value in state.values()])
    halves = flat.bfloat16().view(torch.int16).numpy().astype("<i2").view(np.uint8).reshape(-1, 2)
    text = json.dumps(header).encode()
    Path(path).write_bytes(lzma.compress(struct.pack("<I", len(text)) + text + halves[:, 1].tobytes() + halves[:, 0].tobytes(), preset=6))


def unpack(path):
    """The inverse of pack, in float32: those networks whose configuration is today's. Weights of the same shapes that were
    trained with other norms, for example, are of no use."""
    data = lzma.decompress(Path(path).read_bytes())
    (length,) = struct.unpack("<I", data[:4])
    header, planes = json.loads(data[4 : 4 + length]), np.frombuffer(data[4 + length :], np.uint8).reshape(2, -1)
    flat = torch.from_numpy(np.stack([planes[1], planes[0]], 1).reshape(-1).view("<i2").astype(np.int16)).view(torch.bfloat16).float()
    states, offset = {}, 0
    for name, entries in header["entries"].items():
        states[name] = {}
        for key, shape in entries:
            count = int(np.prod(shape))
            states[name][key] = flat[offset : offset + count].reshape(shape).clone()
            offset += count
    return {name: state for name, state in states.items() if header["configs"].get(name) == CONFIGS.get(name)}


def start_from(states, work):
    """Writes the files that trainings start from: vae-start.pt, judge.pt, unet-start.pt; those that fit the networks."""
    work.mkdir(parents=True, exist_ok=True)
    fits = {name: {key: value.shape for key, value in make().state_dict().items()} for name, make in NETWORKS.items()}
    kept = {name: state for name, state in states.items() if {key: value.shape for key, value in state.items()} == fits[name]}
    if "vae" in kept:
        save_atomically(kept["vae"], work / "vae-start.pt")
    if "judge" in kept:
        save_atomically(kept["judge"], work / "judge.pt")
    if "unet" in kept and "text_encoder" in kept:
        save_atomically({"unet": kept["unet"], "text_encoder": kept["text_encoder"]}, work / "unet-start.pt")
    return sorted(kept)


def split(path, data):
    """Writes parts of at most PART_BYTES; returns their paths."""
    paths = []
    for i, start in enumerate(range(0, len(data), PART_BYTES)):
        paths.append(Path(f"{path}.part-{i:02}"))
        paths[-1].write_bytes(data[start : start + PART_BYTES])
    return paths


def tar_of(folder):
    """A folder as the bytes of a compressed tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        tar.add(folder, arcname=".")
    return buffer.getvalue()


def join(parts, to):
    data = b"".join(Path(part).read_bytes() for part in sorted(parts))
    to.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(to, filter="data")


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add_argument("action", choices=("pack", "unpack", "split", "join"))
    arguments.add_argument("files", type=Path, nargs="+")
    arguments.add_argument("--to", type=Path, help="folder for what is joined")
    options = arguments.parse_args()
    if options.action == "pack":
        pack(reached(options.work), options.files[0])
        print(f"{options.files[0].stat().st_size / (1 << 20):.1f} MiB")
    elif options.action == "unpack":
        print("starts from:", ", ".join(start_from(unpack(options.files[0]), options.work)))
    elif options.action == "split":
        print(*split(options.files[0], options.files[0].read_bytes()), sep="\n")
    elif options.to is None:
        raise SystemExit("join needs --to FOLDER.")
    else:
        join(options.files, options.to)


if __name__ == "__main__":
    main()
