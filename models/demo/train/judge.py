"""A small network that names what a picture of the demo world shows and where the object is.

It judges generated pictures; it never trains the model. A look is a colour or a material.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from world import BACKGROUNDS, LOOKS, OBJECTS, SEASONS, STYLES, TIMES

HEADS = {"object": OBJECTS, "look": LOOKS, "place": BACKGROUNDS, "time": tuple(TIMES), "season": tuple(SEASONS), "style": tuple(STYLES)}
MASK_CELL = 4  # pixels per cell of the mask


class Judge(nn.Module):
    """Pictures [N, 3, 256, 256] in [-1, 1] -> (logits of every head side by side [N, 44], mask logits [N, 1, 64, 64])."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(32, 48, 3, padding=1)
        self.conv4 = nn.Conv2d(48, 64, 3, stride=2, padding=1)
        self.conv5 = nn.Conv2d(64, 96, 3, stride=2, padding=1)
        self.conv6 = nn.Conv2d(96, 112, 3, stride=2, padding=1)
        self.conv7 = nn.Conv2d(112, 112, 3, padding=1)
        self.mask = nn.Conv2d(48 + 96 + 112, 1, 3, padding=1)
        self.name = nn.Linear(3 * 112, sum(map(len, HEADS.values())))

    def forward(self, x):
        fine = F.relu(self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))  # [N, 48, 64, 64]
        middle = F.relu(self.conv5(F.relu(self.conv4(fine))))  # [N, 96, 16, 16]
        coarse = F.relu(self.conv7(F.relu(self.conv6(middle))))  # [N, 112, 8, 8]
        enlarged = [F.interpolate(part, scale_factor=float(scale), mode="nearest") for part, scale in ((middle, 4), (coarse, 8))]
        mask = self.mask(torch.cat([fine, *enlarged], 1)).float()
        inside = F.avg_pool2d(mask.sigmoid(), 8)
        outside = 1 - inside
        looks = [(coarse * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1e-3) for weight in (inside, outside)]
        return self.name(torch.cat([coarse.mean((2, 3)), *looks], 1)).float(), mask


def split_heads(logits):
    """Logits [N, 44] to one tensor per head."""
    return dict(zip(HEADS, logits.split([len(names) for names in HEADS.values()], 1)))


@torch.no_grad()
def judge_pictures(judge, images):
    """Named content of uint8 images [N, 256, 256, 3]: (a list of dicts, masks [N, 256, 256] of probabilities)."""
    device = next(judge.parameters()).device
    names, masks = [], []
    for start in range(0, len(images), 32):
        batch = torch.from_numpy(images[start : start + 32]).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        logits, mask = judge(batch)
        masks.append(F.interpolate(mask.sigmoid(), scale_factor=float(MASK_CELL), mode="bilinear", align_corners=False)[:, 0].cpu().numpy())
        best = {head: values.argmax(1).tolist() for head, values in split_heads(logits).items()}
        names += [{head: HEADS[head][best[head][i]] for head in HEADS} for i in range(len(batch))]
    return names, np.concatenate(masks)


def load_judge(path, device="cpu"):
    judge = Judge().to(device)
    judge.load_state_dict(torch.load(path, map_location=device))
    return judge.eval()
