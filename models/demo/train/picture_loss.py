"""What a reconstructed picture is judged by: values, edges, and the colour of small areas."""
import torch
from torch.nn import functional as F


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def opponents(x):
    """RGB [N, 3, H, W] to lightness, red against green, blue against yellow."""
    r, g, b = x[:, 0], x[:, 1], x[:, 2]
    return torch.stack([(r + g + b) / 3, (r - g) * 1.5, (b - (r + g) / 2) * 1.5], 1)


def picture_loss(target, output, weight):
    """Pictures in [-1, 1], weight [N, 1, H, W] (1 for the ground, more for objects)."""
    difference = target - output
    value = (difference.abs() * weight).mean() + 2.0 * (difference.pow(2) * weight).mean()
    edge = sum((a - b).abs().mean() for a, b in zip(edges(target), edges(output)))
    small = (opponents(F.avg_pool2d(target, 4)) - opponents(F.avg_pool2d(output, 4))).abs().mean()
    return value + 0.3 * edge + 0.5 * small
