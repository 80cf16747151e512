"""Renders the sample clips with their exact flow and masks: python3 clips.py --to ../samples

The files are described in samples/README.md. Needs ffmpeg; the same command always writes the same pictures.
"""
import argparse
from dataclasses import replace
import gzip
import json
from pathlib import Path
import subprocess

import numpy as np

from flow import forward_flow, trusted
from png import contact_sheet, write_png
from scene import OBJECT, Scene, render
from world import caption

FRAMES, FPS, SIZE = 24, 12, 128
FLOW_UNIT = 64  # stored steps per pixel


def flicker(t, strength, rng):
    """Exposure of a bad lamp: a beat and random dips."""
    return 1 + strength * (0.5 * np.sin(2.9 * t) + rng.uniform(-1, 1))


def ball_on_grass(t, rng):
    return dict(x=-0.30 + 0.62 * t / 23, pan=0.10 * t / 23)


def car_in_city(t, rng):
    return dict(x=0.10 * np.sin(t / 7), pan=1.3 * t / 23)


def star_in_space(t, rng):
    return dict(x=0.16 * np.sin(t / 8), y=0.10 * np.cos(t / 6), angle=0.9 * t / 23, pan=0.8 * t / 23)


def car_on_sand(t, rng):
    """Races across the frame and back behind two passing posts, in grain."""
    return dict(x=0.52 * np.sin(2 * np.pi * t / 23 - 1.2), pan=0.5 * t / 23, occluder=1.12 - 2.24 * (t % 12) / 11, grain=0.035)


def cube_on_snow(t, rng):
    """A hand-held camera under a flickering lamp, in grain."""
    shake = rng.uniform(-1, 1, 2)
    return dict(
        x=0.22 * np.sin(t / 5), shake_x=0.05 * shake[0], shake_y=0.045 * shake[1], zoom=1 + 0.05 * np.sin(t / 4),
        light=flicker(t, 0.09, rng), grain=0.03,
    )


def heart_on_sea(t, rng):
    """Bobs and sways fast, the light flickers, a post passes in front."""
    return dict(
        x=0.34 * np.sin(t / 2.6), y=0.02 + 0.13 * np.sin(t / 1.7), angle=0.30 * np.sin(t / 2.1), pan=0.6 * t / 23,
        occluder=-1.1 + 2.4 * t / 23, light=flicker(t, 0.07, rng), grain=0.03,
    )


def target(scene, **changed):
    """A target prompt and what a right edit shows."""
    after = replace(scene, **changed)
    words = {key: getattr(after, key) for key in ("object", "colour", "background", "style")}
    return {"prompt": caption(*words.values()), **words}


CLIPS = {
    "ball-grass": (
        Scene("ball", "red", "grass", seed=11, size=0.52, y=0.16, horizon=-0.18, lamp=0.6),
        ball_on_grass, False,
        (dict(colour="blue"), dict(background="snow"), dict(style="watercolor"), dict(colour="yellow", background="sand")),
    ),
    "car-city": (
        Scene("car", "blue", "city", seed=25, size=0.66, y=0.22, horizon=-0.16, lamp=-0.4, turn=1.0),
        car_in_city, False,
        (dict(colour="red"), dict(background="grass"), dict(style="watercolor"), dict(colour="green", background="snow")),
    ),
    "star-space": (
        Scene("star", "yellow", "space", seed=31, size=0.60),
        star_in_space, False,
        (dict(colour="pink"), dict(colour="purple"), dict(style="watercolor"), dict(style="neon", colour="green")),
    ),
    "car-sand": (
        Scene("car", "red", "sand", seed=42, size=0.58, y=0.20, horizon=-0.20, lamp=0.5, turn=1.0),
        car_on_sand, True,
        (dict(colour="blue"), dict(background="snow"), dict(style="watercolor"), dict(colour="green", background="grass")),
    ),
    "cube-snow": (
        Scene("cube", "green", "snow", seed=53, size=0.54, y=0.14, horizon=-0.12, lamp=-0.5, turn=0.2),
        cube_on_snow, True,
        (dict(colour="orange"), dict(background="sand"), dict(style="watercolor"), dict(colour="purple", background="grass")),
    ),
    "heart-sea": (
        Scene("heart", "pink", "sea", seed=64, size=0.54, horizon=-0.10, lamp=0.3),
        heart_on_sea, True,
        (dict(colour="blue"), dict(background="grass"), dict(style="watercolor"), dict(colour="red", background="snow")),
    ),
}


def clip_scenes(name, clean=False):
    """The scene of every frame; clean leaves out grain and flicker."""
    scene, motion, _, _ = CLIPS[name]
    rng = np.random.default_rng(scene.seed)
    frames = [replace(scene, grain_seed=t, **motion(t, rng)) for t in range(FRAMES)]
    return [replace(frame, grain=0.0, light=1.0) for frame in frames] if clean else frames


def write_video(path, frames):
    """uint8 [T, H, W, 3] to H.264, 4:2:0, near lossless."""
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE}x{SIZE}", "-r", str(FPS), "-i", "-",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264", "-crf", "10", "-preset", "veryslow",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
        "-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", "-movflags", "+faststart", str(path),
    ]
    subprocess.run(command, input=frames.tobytes(), check=True)


def write_gzip(path, array):
    path.write_bytes(gzip.compress(array.tobytes(), 9, mtime=0))


def warp_error(clean, flows, valid):
    """Mean |difference| of 255 between clean frames along the flow: a check of the flow itself, near zero."""
    errors = []
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for t, (flow, trust) in enumerate(zip(flows, valid)):
        x, y = (columns + flow[0]).clip(0, SIZE - 1.001), (rows + flow[1]).clip(0, SIZE - 1.001)
        x0, y0 = x.astype(int), y.astype(int)
        fx, fy = (x - x0)[..., None], (y - y0)[..., None]
        after = clean[t + 1].astype(np.float32)
        top = after[y0, x0] * (1 - fx) + after[y0, x0 + 1] * fx
        bottom = after[y0 + 1, x0] * (1 - fx) + after[y0 + 1, x0 + 1] * fx
        errors.append(np.abs(top * (1 - fy) + bottom * fy - clean[t])[trust].mean())
    return float(np.mean(errors))


def write_clip(folder, name):
    """All files of one clip; returns (frames, warp error of the clean frames)."""
    scene, _, hard, changes = CLIPS[name]
    scenes = clip_scenes(name)
    frames = np.stack([render(s, SIZE)[0] for s in scenes])
    clean = [render(s, SIZE) for s in clip_scenes(name, clean=True)]
    layers, shadows = [c[2] for c in clean], [c[3] for c in clean]
    flows = [forward_flow(scenes[t], scenes[t + 1], layers[t]) for t in range(FRAMES - 1)]
    valid = [trusted(flows[t], layers[t], layers[t + 1], shadows[t], shadows[t + 1]) for t in range(FRAMES - 1)]
    write_video(folder / f"{name}.mp4", frames)
    limit = np.iinfo(np.int16).max / FLOW_UNIT
    stored = np.where(np.stack(valid)[:, None], np.stack(flows).clip(-limit, limit), 0)
    write_gzip(folder / f"{name}.flow.bin.gz", (stored * FLOW_UNIT).round().astype("<i2"))
    write_gzip(folder / f"{name}.mask.bin.gz", (np.stack(layers) == OBJECT).astype(np.uint8))
    write_gzip(folder / f"{name}.valid.bin.gz", np.stack(valid).astype(np.uint8))
    description = {
        "caption": caption(scene.object, scene.colour, scene.background, scene.style),
        "fps": FPS, "width": SIZE, "height": SIZE, "frames": FRAMES,
        "object": scene.object, "colour": scene.colour, "background": scene.background, "style": scene.style,
        "hard": hard,
        "targets": [target(scene, **change) for change in changes],
    }
    (folder / f"{name}.json").write_text(json.dumps(description, indent=2) + "\n")
    return frames, warp_error([c[0] for c in clean], flows, valid)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--to", type=Path, required=True, help="folder for the clips")
    arguments.add_argument("--sheet", type=Path, help="contact sheet to write: one row per clip, every sixth frame")
    options = arguments.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in CLIPS:
        frames, error = write_clip(options.to, name)
        size = sum(file.stat().st_size for file in options.to.glob(f"{name}.*"))
        print(f"{name}: {size / 1e3:.0f} kB, warp error of the clean frames {error:.2f} of 255")
        rows.append(frames[::6])
    if options.sheet:
        write_png(options.sheet, contact_sheet(np.concatenate(rows), len(rows[0])))


if __name__ == "__main__":
    main()
