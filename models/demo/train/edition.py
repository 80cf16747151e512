"""Writes what belongs to an edition of the model beside its weights: python3 edition.py --to FOLDER

samples/ (clips with flow, masks and validity), held-out/ (unseen images), judge/prompts.json (what the evaluation has the
model draw) and vocabulary.json (the words that panel and command line know, with the samples and their hashes). The same
command always writes the same files. Needs ffmpeg.
"""
import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import probe
import world
from clips import CLIPS

HERE = Path(__file__).parent
OTHER_PROMPTS = 80  # probe's own, of which the plain photos by day are left out: the table has them
# Samples that the panel offers, the first one first, and how it names them.
TITLES = {
    "car-desert": "Red car in the desert",
    "ball-grass": "Red ball on grass",
    "car-city": "Blue car in the city",
    "fish-underwater": "Orange fish under water",
    "house-snow": "Green house in the snow",
    "duck-sea": "Yellow duck on the sea",
}


def spellings(phrases):
    """The wordings of one thing, each once; the first is the one that is written."""
    return list(dict.fromkeys(phrases))


def vocabulary(samples):
    """What protocol/vocabulary.ts reads. `samples`: the folder of the clips."""

    def part(name, rows, stand_in=None):
        return {"name": name, "phrases": [spellings(row) for row in rows], "standIn": stand_in}

    looks = [[world.look_word(look)] for look in world.LOOKS]
    parts = [
        part("style", world.STYLES.values()),
        part("look", looks),
        part("object", [[name] for name in world.OBJECTS], world.OBJECTS[0]),
        part("place", world.PLACES.values()),
        part("time", world.TIMES.values()),
        part("season", world.SEASONS.values()),
    ]
    return {"sentence": "{style} {a} {look} {object} {place} {time} {season}", "parts": parts, "samples": list(map(lambda name: sample(samples, name), TITLES))}


def sample(folder, name):
    film = (folder / f"{name}.mp4").read_bytes()
    facts = json.loads((folder / f"{name}.json").read_text())
    return {
        "name": name, "title": TITLES[name], "sizeBytes": len(film), "sha256": hashlib.sha256(film).hexdigest(),
        "sourcePrompt": facts["caption"], "prompts": [target["prompt"] for target in facts["targets"]],
    }


def judge_prompts():
    """A table of every place with every look, objects taking turns, and prompts of other styles, times and seasons."""
    plain = {"time": "day", "season": "none", "style": "photo"}
    table = [
        {"object": world.OBJECTS[(row + column) % len(world.OBJECTS)], "look": look, "place": place, **plain}
        for row, place in enumerate(world.BACKGROUNDS)
        for column, look in enumerate(world.LOOKS)
    ]
    others = [scene for scene in probe.prompts(OTHER_PROMPTS, 0) if any(scene[key] != plain[key] for key in plain)]
    prompts = [{"prompt": probe.scene_caption(scene), **scene} for scene in (*table, *others)]
    return {"rows": len(world.BACKGROUNDS), "columns": len(world.LOOKS), "prompts": prompts}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--to", type=Path, required=True, help="the model folder")
    to = arguments.parse_args().to
    assert set(TITLES) == set(CLIPS)
    for script, folder in (("clips.py", "samples"), ("held_out.py", "held-out")):
        subprocess.run([sys.executable, HERE / script, "--to", to / folder], check=True)
    write_json(to / "judge/prompts.json", judge_prompts())
    write_json(to / "vocabulary.json", vocabulary(to / "samples"))


if __name__ == "__main__":
    main()
