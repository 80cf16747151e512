"""Writes some of the images that no training has seen, for the evaluation: python3 held_out.py --to ../held-out

scenes.mkv holds them as the frames of a lossless film, mask.bin.gz the object's coverage of each 4x4 pixels. They are
rendered anew, so that no work folder is needed.
"""
import argparse
import gzip
import json
import subprocess
from pathlib import Path

import numpy as np

from dataset import CELL, SIZE, render_one

COUNT = 64


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--to", type=Path, required=True, help="folder to write to")
    options = arguments.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    images, masks, words = zip(*map(render_one, range(COUNT)))
    film = options.to / "scenes.mkv"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE}x{SIZE}", "-r", "1", "-i", "-"]
    codec = ["-c:v", "ffv1", "-level", "3", "-g", "1", "-pix_fmt", "gbrp", "-bitexact"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *source, *codec, str(film)], input=np.stack(images).tobytes(), check=True)
    (options.to / "mask.bin.gz").write_bytes(gzip.compress(np.stack(masks).tobytes(), 9, mtime=0))
    facts = {"count": COUNT, "width": SIZE, "height": SIZE, "cell": CELL, "scenes": words}
    (options.to / "scenes.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(f"{COUNT} images, {film.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
