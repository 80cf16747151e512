"""Renders clips with their exact flow and masks: python3 clips.py --to ../samples

The files are described in samples/README.md. Needs ffmpeg; the same command always writes the same pictures.
--check renders the clips, writes nothing, and fails where a clip contradicts its flow.
"""
import argparse
from dataclasses import replace
import gzip
import json
from pathlib import Path
import subprocess

import numpy as np

from camera import OBJECT
from dataset import WORDS
from flow import forward_flow, trusted, warp_errors
from png import contact_sheet, write_png
from render import render
from scene import Scene
from shapes import FOOT
from world import caption

FRAMES, FPS, SIZE = 24, 12, 256
FLOW_UNIT = 64  # stored steps per pixel
CLEAN_WARP_ERROR = 2.0  # of 255, the most that resampling explains
WRONG_FLOW_ERROR = 2.0  # how many times worse the flow's opposite must be: the check must be able to fail


def flicker(t, strength, rng):
    """Exposure of a bad lamp: a beat and random dips."""
    return 1 + strength * (0.5 * np.sin(2.9 * t) + rng.uniform(-1, 1))


def ball_on_grass(t, rng):
    return dict(x=-0.28 + 0.56 * t / 23, pan=0.10 * t / 23)


def car_in_city(t, rng):
    return dict(x=0.10 * np.sin(t / 7), pan=1.2 * t / 23)


def fish_under_water(t, rng):
    return dict(x=0.18 * np.sin(t / 8), y=0.10 * np.cos(t / 6), angle=0.22 * np.sin(t / 5), pan=0.6 * t / 23)


def car_in_desert(t, rng):
    """Races across the frame and back behind two passing posts, in grain."""
    return dict(x=0.42 * np.sin(2 * np.pi * t / 23 - 1.2), pan=0.5 * t / 23, occluder=1.12 - 2.24 * (t % 12) / 11, grain=0.03)


def house_in_snow(t, rng):
    """A hand-held camera under a flickering lamp, in grain."""
    shake = rng.uniform(-1, 1, 2)
    return dict(
        shake_x=0.05 * shake[0], shake_y=0.04 * shake[1], zoom=1 + 0.05 * np.sin(t / 4), pan=0.25 * np.sin(t / 5),
        light=flicker(t, 0.09, rng), grain=0.025,
    )


def duck_on_sea(t, rng):
    """Sways fast, the light flickers, a post passes in front."""
    return dict(x=0.30 * np.sin(t / 2.6), pan=0.4 * t / 23, occluder=-1.1 + 2.4 * t / 23, light=flicker(t, 0.07, rng), grain=0.025)


def standing(size, ground, name):
    """Size and height of an object that stands at y = ground."""
    return dict(size=size, y=ground - size * FOOT[name])


CLIPS = {
    "ball-grass": (
        Scene("ball", "red", "grass", seed=11, horizon=-0.16, lamp=0.6, **standing(0.46, 0.60, "ball")), ball_on_grass, False,
        (dict(look="blue"), dict(place="snow"), dict(style="watercolor"), dict(look="yellow", place="desert")),
    ),
    "car-city": (
        Scene("car", "blue", "city", seed=25, horizon=-0.14, lamp=-0.4, turn=1.0, **standing(0.54, 0.62, "car")), car_in_city, False,
        (dict(look="red"), dict(time="night"), dict(style="oil"), dict(look="green", place="snow")),
    ),
    "fish-underwater": (
        Scene("fish", "orange", "underwater", seed=31, size=0.52, horizon=0.36), fish_under_water, False,
        (dict(look="purple"), dict(look="gold"), dict(style="cartoon"), dict(place="space")),
    ),
    "car-desert": (
        Scene("car", "red", "desert", seed=42, horizon=-0.18, lamp=0.5, turn=1.0, **standing(0.50, 0.58, "car")), car_in_desert, True,
        (dict(look="blue"), dict(place="grass"), dict(style="watercolor"), dict(time="sunset")),
    ),
    "house-snow": (
        Scene("house", "green", "snow", seed=53, horizon=-0.12, lamp=-0.5, turn=0.2, **standing(0.50, 0.56, "house")), house_in_snow, True,
        (dict(look="orange"), dict(look="wood"), dict(style="pencil"), dict(place="grass", season="autumn")),
    ),
    "duck-sea": (
        Scene("duck", "yellow", "sea", seed=64, horizon=-0.10, lamp=0.3, turn=1.0, **standing(0.50, 0.62, "duck")), duck_on_sea, True,
        (dict(look="pink"), dict(look="metal"), dict(style="neon", look="green"), dict(time="night")),
    ),
}


def clip_scenes(name, clean=False):
    """The scene of every frame; clean leaves out grain and flicker."""
    scene, motion, _, _ = CLIPS[name]
    rng = np.random.default_rng(scene.seed)
    frames = [replace(scene, grain_seed=t, **motion(t, rng)) for t in range(FRAMES)]
    return [replace(frame, grain=0.0, light=1.0) for frame in frames] if clean else frames


def exact_motion(scenes):
    """What a clip of scenes is made of: frames uint8 [T, H, W, 3], object masks bool [T, H, W], flows float
    [T-1, 2, H, W] and where they are valid, bool [T-1, H, W]. Grain and light do not change masks and flow."""
    drawn = [render(scene, SIZE) for scene in scenes]
    layers, shadows = [d[2] for d in drawn], [d[3] for d in drawn]
    flows = [forward_flow(before, after, layer) for before, after, layer in zip(scenes, scenes[1:], layers)]
    valid = [trusted(flows[t], layers[t], layers[t + 1], shadows[t], shadows[t + 1], scenes[t].look) for t in range(len(scenes) - 1)]
    return np.stack([d[0] for d in drawn]), np.stack(layers) == OBJECT, np.stack(flows), np.stack(valid)


def words_of(scene):
    return {word: getattr(scene, word) for word in WORDS}


def write_video(path, frames):
    """uint8 [T, H, W, 3] to H.264, 4:2:0, near lossless."""
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE}x{SIZE}", "-r", str(FPS), "-i", "-",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-c:v", "libx264", "-crf", "12", "-preset", "veryslow",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
        "-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", "-movflags", "+faststart", str(path),
    ]
    subprocess.run(command, input=frames.tobytes(), check=True)


def write_gzip(path, array):
    path.write_bytes(gzip.compress(array.tobytes(), 9, mtime=0))


def write_clip(folder, name):
    """All files of one clip; returns its frames."""
    scene, _, hard, changes = CLIPS[name]
    frames = np.stack([render(s, SIZE)[0] for s in clip_scenes(name)])
    _, masks, flows, valid = exact_motion(clip_scenes(name, clean=True))
    write_video(folder / f"{name}.mp4", frames)
    limit = np.iinfo(np.int16).max / FLOW_UNIT
    stored = np.where(valid[:, None], flows.clip(-limit, limit), 0)
    write_gzip(folder / f"{name}.flow.bin.gz", (stored * FLOW_UNIT).round().astype("<i2"))
    write_gzip(folder / f"{name}.mask.bin.gz", masks.astype(np.uint8))
    write_gzip(folder / f"{name}.valid.bin.gz", valid.astype(np.uint8))
    targets = [words_of(replace(scene, **change)) for change in changes]
    description = {
        "caption": caption(**caption_words(words_of(scene))), "fps": FPS, "width": SIZE, "height": SIZE, "frames": FRAMES,
        **words_of(scene), "hard": hard,
        "targets": [{"prompt": caption(**caption_words(words)), **words} for words in targets],
    }
    (folder / f"{name}.json").write_text(json.dumps(description, indent=2) + "\n")
    return frames


def caption_words(words):
    return {("object_name" if key == "object" else key): value for key, value in words.items()}


def check(name):
    """(warp error of the clean frames along the flow, along its opposite), of 255; their ratio tells a right flow."""
    frames, masks, flows, valid = exact_motion(clip_scenes(name, clean=True))
    moving = valid & (np.abs(flows).sum(1) > 1)
    right, wrong = (float(np.nanmean(warp_errors(frames, sign * flows, moving))) for sign in (1, -1))
    if right > CLEAN_WARP_ERROR or wrong < WRONG_FLOW_ERROR * right:
        found = f"{name}: warp error {right:.2f} of 255 along the flow, {wrong:.2f} against it"
        raise SystemExit(f"{found}; at most {CLEAN_WARP_ERROR} along it, and {WRONG_FLOW_ERROR} times as much against it, is right")
    return right, wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = arguments.add_mutually_exclusive_group(required=True)
    group.add_argument("--to", type=Path, help="folder for the clips")
    group.add_argument("--check", action="store_true")
    arguments.add_argument("--sheet", type=Path, help="contact sheet to write: one row per clip, every sixth frame")
    options = arguments.parse_args()
    rows = []
    for name in CLIPS:
        if options.check:
            print(f"{name}: warp error %.2f of 255 along the flow, %.2f against it" % check(name), flush=True)
            continue
        options.to.mkdir(parents=True, exist_ok=True)
        rows.append(write_clip(options.to, name)[::6])
        print(f"{name}: {sum(file.stat().st_size for file in options.to.glob(f'{name}.*')) / 1e3:.0f} kB")
    if options.sheet and rows:
        write_png(options.sheet, contact_sheet(np.concatenate(rows), len(rows[0])))


if __name__ == "__main__":
    main()
