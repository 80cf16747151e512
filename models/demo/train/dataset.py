"""Renders the training images: python3 dataset.py --count 24000

Writes images.npy (uint8 [N, 128, 128, 3]), masks.npy (uint8 [N, 32, 32], object coverage of each latent cell,
0..255) and scenes.json (object, colour, background, style of each image) into the work folder.
"""
import json
from multiprocessing import Pool

import numpy as np

from scene import random_scene, render
from workspace import parser

SIZE = 128
CELL = 4  # pixels per latent cell
HELD_OUT = 256  # the last images, never trained on


def render_one(index):
    scene = random_scene(np.random.default_rng((20, index)))
    rgb, mask, _, _ = render(scene, SIZE)
    cells = mask.reshape(SIZE // CELL, CELL, SIZE // CELL, CELL).mean((1, 3))
    words = {"object": scene.object, "colour": scene.colour, "background": scene.background, "style": scene.style}
    return rgb, (cells * 255 + 0.5).astype(np.uint8), words


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--count", type=int, default=24000, help="images, the last %d are held out" % HELD_OUT)
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(options.work / "images.npy", "w+", np.uint8, (options.count, SIZE, SIZE, 3))
    masks = np.zeros((options.count, SIZE // CELL, SIZE // CELL), np.uint8)
    scenes = []
    with Pool() as pool:
        for i, (rgb, cells, words) in enumerate(pool.imap(render_one, range(options.count), chunksize=64)):
            images[i], masks[i] = rgb, cells
            scenes.append(words)
    np.save(options.work / "masks.npy", masks)
    (options.work / "scenes.json").write_text(json.dumps(scenes))


if __name__ == "__main__":
    main()
