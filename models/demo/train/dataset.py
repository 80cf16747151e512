"""Renders the training images: python3 dataset.py --count 24000

Writes images.npy (uint8 [N, 256, 256, 3]), masks.npy (uint8 [N, 64, 64], object coverage of each 4x4 pixels, 0..255) and
scenes.jsonl (object, look, place, time, season, style of each image) into the work folder, in order, and the number of
finished images into rendered.txt, so that trainings can begin before it ends. Image i depends on i alone; the same
command goes on after a stop.
"""
import fcntl
import json
import os
from multiprocessing import get_context

import numpy as np

from render import render
from scene import random_scene
from workspace import Log, parser, write_atomically

SIZE = 256
CELL = 4  # pixels per cell of a mask
WORDS = ("object", "look", "place", "time", "season", "style")
SEED = 21
CHUNK = 64  # images per report


def scene_of(index):
    return random_scene(np.random.default_rng((SEED, index)))


def render_one(index):
    scene = scene_of(index)
    rgb, mask, _, _ = render(scene, SIZE)
    cells = mask.reshape(SIZE // CELL, CELL, SIZE // CELL, CELL).mean((1, 3))
    return rgb, (cells * 255 + 0.5).astype(np.uint8), {word: getattr(scene, word) for word in WORDS}


def open_arrays(work, mode="r"):
    """(images, masks) as memory maps."""
    return tuple(np.load(work / name, mmap_mode=mode) for name in ("images.npy", "masks.npy"))


def held_out(count):
    """How many of `count` images, the first ones, are never trained on."""
    return min(256, count // 8)


def rendered(work):
    """How many images are finished."""
    path = work / "rendered.txt"
    return int(path.read_text()) if path.exists() else 0


def scenes(work):
    """The words of every finished image."""
    with open(work / "scenes.jsonl") as file:
        return [json.loads(line) for line, _ in zip(file, range(rendered(work)))]


def start_files(work, count):
    """Makes the arrays, or finds the number of images they already hold. Images of another count are never overwritten."""
    done = rendered(work)
    if done:
        found = len(open_arrays(work)[0])
        if found != count:
            advice = "Give another --work, or delete images.npy and rendered.txt there."
            raise SystemExit(f"{work} holds a set of {found} images, {count} were asked for. {advice}")
        kept = (work / "scenes.jsonl").read_text().splitlines()[:done]
        write_atomically(work / "scenes.jsonl", "".join(line + "\n" for line in kept))
        return done
    np.lib.format.open_memmap(work / "images.npy", "w+", np.uint8, (count, SIZE, SIZE, 3))
    np.lib.format.open_memmap(work / "masks.npy", "w+", np.uint8, (count, SIZE // CELL, SIZE // CELL))
    write_atomically(work / "scenes.jsonl", "")
    write_atomically(work / "rendered.txt", "0")
    return 0


def render_all(work, count, processes=None):
    """Renders what is missing of `count` images. Waits while another process renders into the same folder."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "render.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        render_missing(work, count, processes)


def render_missing(work, count, processes):
    done = start_files(work, count)
    log, (images, masks) = Log(work, "render"), open_arrays(work, "r+")
    with get_context("fork").Pool(processes) as pool, open(work / "scenes.jsonl", "a") as lines:
        for i, (rgb, cells, words) in enumerate(pool.imap(render_one, range(done, count), chunksize=8), done):
            images[i], masks[i] = rgb, cells
            lines.write(json.dumps(words) + "\n")
            if (i + 1) % CHUNK == 0 or i + 1 == count:
                lines.flush()
                write_atomically(work / "rendered.txt", str(i + 1))
            if (i + 1) % 2000 == 0 or i + 1 == count:
                log(rendered=i + 1)


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=24000, help="images; the first 256 are held out")
    arguments.add_argument("--processes", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    render_all(options.work, options.count, options.processes)


if __name__ == "__main__":
    main()
