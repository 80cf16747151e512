"""Trains the judge on rendered images: python3 train_judge.py --minutes 5. Goes on from judge.pt where there is one."""
import json
import time

import numpy as np
import torch
from torch.nn import functional as F

from dataset import CELL, HELD_OUT
from judge import HEADS, Judge, judge_pictures, reference_hues, split_heads
from train_vae import to_unit
from workspace import parser


def roughen(pictures, rng):
    """Blurs, noise and exposure, so that the judge forgives what a decoder does to pictures."""
    if rng.random() < 0.5:
        pictures = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    pictures = pictures + float(rng.uniform(0, 0.12)) * torch.randn_like(pictures)
    return (pictures * float(rng.uniform(0.85, 1.1)) + float(rng.uniform(-0.1, 0.1))).clamp(-1, 1)


def main():
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=5, help="wall time")
    arguments.add_argument("--seed", type=int, default=0, help="order of the images; choose another one to go on")
    options = arguments.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    images = np.load(options.work / "images.npy", mmap_mode="r")
    masks = np.load(options.work / "masks.npy")
    scenes = json.loads((options.work / "scenes.json").read_text())
    labels = {head: torch.tensor([names.index(scene[head]) for scene in scenes]) for head, names in HEADS.items()}
    judge = Judge()
    if (options.work / "judge.pt").exists():
        judge.load_state_dict(torch.load(options.work / "judge.pt")["weights"])
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.01)
    started, last = time.time(), len(images) - HELD_OUT
    while (progress := (time.time() - started) / (60 * options.minutes)) < 1:
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - progress) + 1e-5
        rows = np.sort(rng.integers(0, last, 32))
        pictures, truth = roughen(to_unit(images[rows]), rng), torch.from_numpy(masks[rows]).float()[:, None] / 255
        if rng.random() < 0.5:
            pictures, truth = pictures.flip(3), truth.flip(3)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, mask = judge(pictures)
        named = sum(F.cross_entropy(values, labels[head][rows]) for head, values in split_heads(logits).items())
        loss = named + 2 * F.binary_cross_entropy_with_logits(mask, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    sample = slice(0, 2048)
    full = masks[sample].astype(np.float32).repeat(CELL, 1).repeat(CELL, 2) / 255
    hues = reference_hues(images[sample], full, scenes[sample])
    torch.save({"weights": judge.state_dict(), "hues": hues}, options.work / "judge.pt")
    names, found = judge_pictures(judge, hues, np.array(images[last:]))
    right = {head: np.mean([n[head] == s[head] for n, s in zip(names, scenes[last:])]) for head in HEADS}
    right["hue colour"] = np.mean([n["hue colour"] == s["colour"] for n, s in zip(names, scenes[last:])])
    truth = masks[last:].repeat(CELL, 1).repeat(CELL, 2) > 127
    overlap = ((found > 0.5) & truth).sum((1, 2)) / ((found > 0.5) | truth).sum((1, 2))
    print("reference hues", [round(h) for h in hues])
    print("held out, share right", {k: round(float(v), 3) for k, v in right.items()}, "mask IoU", round(float(overlap.mean()), 3))


if __name__ == "__main__":
    main()
