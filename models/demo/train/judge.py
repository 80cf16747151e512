"""A small network that names what a picture of the demo world shows and where the object is.

It judges generated pictures; the colour gate uses the hue measured inside the mask it finds.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from colour_measure import hue_degrees, hue_error, object_colour
from world import BACKGROUNDS, COLOURS, OBJECTS, STYLES

HEADS = {"object": OBJECTS, "colour": tuple(COLOURS), "background": BACKGROUNDS, "style": STYLES}


class Judge(nn.Module):
    """Pictures [N, 3, 128, 128] in [-1, 1] -> (logits of every head side by side [N, 21], mask logits [N, 1, 32, 32])."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 24, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(48, 64, 3, padding=1)
        self.conv4 = nn.Conv2d(64, 96, 3, stride=2, padding=1)
        self.conv5 = nn.Conv2d(96, 128, 3, stride=2, padding=1)
        self.conv6 = nn.Conv2d(128, 128, 3, padding=1)
        self.mask = nn.Conv2d(64 + 128, 1, 3, padding=1)
        self.name = nn.Linear(2 * 128, sum(map(len, HEADS.values())))

    def forward(self, x):
        fine = F.relu(self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))
        coarse = F.relu(self.conv6(F.relu(self.conv5(F.relu(self.conv4(fine))))))
        both = torch.cat([fine, F.interpolate(coarse, scale_factor=4.0, mode="nearest")], 1)
        mask = self.mask(both).float()
        weight = F.avg_pool2d(mask.sigmoid(), 4)
        focus = (coarse * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3)  # what the object looks like
        return self.name(torch.cat([coarse.mean((2, 3)), focus], 1)).float(), mask


def split_heads(logits):
    """Logits [N, 21] to one tensor per head."""
    return dict(zip(HEADS, logits.split([len(names) for names in HEADS.values()], 1)))


def reference_hues(images, masks, scenes):
    """Mean hue in degrees of every colour over renders, [7]."""
    hues = np.radians(hue_degrees(object_colour(images, masks))[0])
    rows = [[i for i, scene in enumerate(scenes) if scene["colour"] == colour] for colour in COLOURS]
    return [float(np.degrees(np.angle(np.exp(1j * hues[row]).mean())) % 360) for row in rows]


@torch.no_grad()
def judge_pictures(judge, hues, images):
    """Named content of uint8 images [N, 128, 128, 3]: a list of dicts, with the hue rule's colour, and masks [N, 128, 128]."""
    names, masks = [], []
    for start in range(0, len(images), 32):
        batch = images[start : start + 32]
        logits, mask = judge(torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 127.5 - 1)
        mask = F.interpolate(mask.sigmoid(), scale_factor=4.0, mode="bilinear", align_corners=False)[:, 0].numpy()
        measured = hue_degrees(object_colour(batch, mask))[0]
        nearest = hue_error(measured[:, None], np.array(hues)).argmin(1)
        heads = {head: values.argmax(1) for head, values in split_heads(logits).items()}
        for i in range(len(batch)):
            named = {head: HEADS[head][int(index[i])] for head, index in heads.items()}
            names.append({**named, "hue": float(measured[i]), "hue colour": tuple(COLOURS)[int(nearest[i])]})
        masks.append(mask)
    return names, np.concatenate(masks)


def load_judge(path):
    """(judge, reference hues) as train_judge.py wrote them."""
    state = torch.load(path, map_location="cpu")
    judge = Judge()
    judge.load_state_dict(state["weights"])
    return judge.eval(), state["hues"]
