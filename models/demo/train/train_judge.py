"""Trains the judge on rendered images: python3 train_judge.py --minutes 8. Goes on from judge.pt where there is one."""
import copy
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dataset import CELL, held_out, open_arrays, scenes
from judge import HEADS, Judge, judge_pictures, split_heads
from schedule import Clock, add_arguments
from train_vae import to_unit
from workspace import Log, device_name, parser, save_atomically

RATE, BATCH, PER_GPU = 2e-3, 24, 10
SAVE_SECONDS = 180


def with_norms(judge):
    """The judge with a batch normalisation behind each convolution, with which it learns several times faster."""
    for name, layer in list(judge.named_children()):
        if name.startswith("conv"):
            setattr(judge, name, nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)))
    return judge


def without_norms(judge):
    """The same function as `judge.eval()`, as a plain judge: norms become a part of their convolutions."""
    plain = Judge()
    state = {name: value for name, value in judge.state_dict().items() if not name.startswith("conv")}
    for name, layer in judge.named_children():
        if name.startswith("conv"):
            fused = fuse_conv_bn_eval(*copy.deepcopy(layer).eval())
            state |= {f"{name}.{key}": value for key, value in fused.state_dict().items()}
    plain.load_state_dict({name: value.detach().cpu().contiguous() for name, value in state.items()})
    return plain.eval()


def roughen(pictures, rng):
    """Blurs, noise and exposure, so that the judge forgives what a decoder does to pictures."""
    if rng.random() < 0.5:
        pictures = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    pictures = pictures + float(rng.uniform(0, 0.10)) * torch.randn_like(pictures)
    return (pictures * float(rng.uniform(0.92, 1.06)) + float(rng.uniform(-0.05, 0.05))).clamp(-1, 1)


def label_tensors(words):
    """Class numbers [N] of every head."""
    return {head: torch.tensor([names.index(scene[head]) for scene in words]) for head, names in HEADS.items()}


def loss_of(logits, mask, labels, truth):
    named = sum(F.cross_entropy(values, labels[head]) for head, values in split_heads(logits).items())
    return named + 3 * F.binary_cross_entropy_with_logits(mask, truth)


def score(judge, work):
    """Shares of held-out images named right, and the mask's overlap."""
    arrays = open_arrays(work)
    count = held_out(len(arrays[0]))
    images, masks = (np.array(array[:count]) for array in arrays)
    truth = scenes(work)[:count]
    names, found = judge_pictures(judge, images)
    right = {head: round(float(np.mean([n[head] == t[head] for n, t in zip(names, truth)])), 3) for head in HEADS}
    full = masks.repeat(CELL, 1).repeat(CELL, 2) > 127
    overlap = ((found > 0.5) & full).sum((1, 2)) / (((found > 0.5) | full).sum((1, 2)) + 1e-6)
    return {**right, "mask IoU": round(float(overlap.mean()), 3)}


def train(options, device):
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    images, masks = open_arrays(options.work)
    words, first = scenes(options.work), held_out(len(images))
    labels = {head: tensor.to(device) for head, tensor in label_tensors(words).items()}
    judge = Judge().to(device)
    path, checkpoint = options.work / "judge.pt", options.work / "judge-checkpoint.pt"
    if path.exists():
        judge.load_state_dict(torch.load(path, map_location=device))
    with_norms(judge).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=RATE, weight_decay=0.01)
    spent = 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device)
        judge.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        spent = state["spent"]
        rng = np.random.default_rng((options.seed, int(spent)))
    if device == "cuda":
        images, masks = (torch.from_numpy(np.array(array[: len(words)])).to(device) for array in (images, masks))
    clock, log, step, saved = Clock(options.wall, spent), Log(options.work, "judge"), 0, time.time()
    clock.start()
    while (progress := clock.seconds() / (60 * options.minutes)) < 1:
        optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 50) * (1 - progress) + 1e-6
        rows = np.sort(rng.integers(first, len(words), BATCH * (PER_GPU if device == "cuda" else 1)))
        pictures, truth = to_unit(images[rows]).to(device), torch.as_tensor(masks[rows]).to(device).float()[:, None] / 255
        pictures = roughen(pictures, rng).contiguous(memory_format=torch.channels_last)
        if rng.random() < 0.5:
            pictures, truth = pictures.flip(3), truth.flip(3)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device == "cuda"):
            logits, mask = judge(pictures)
        loss = loss_of(logits, mask, {head: values[torch.from_numpy(rows).to(device)] for head, values in labels.items()}, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 100 == 0:
            log(step=step, minutes=round(clock.seconds() / 60, 1), loss=round(float(loss.detach()), 3))
        if time.time() - saved > SAVE_SECONDS:
            saved = time.time()
            save_atomically({"weights": judge.state_dict(), "optimizer": optimizer.state_dict(), "spent": clock.seconds()}, checkpoint)
    judge = without_norms(judge)
    save_atomically(judge.state_dict(), path)
    checkpoint.unlink(missing_ok=True)
    log(step=step, finished=True, **score(judge, options.work))


def main():
    arguments = parser(__doc__.splitlines()[0])
    add_arguments(arguments, 8)
    arguments.add_argument("--seed", type=int, default=0, help="order of the images; choose another one to go on")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    train(options, device_name())


if __name__ == "__main__":
    main()
