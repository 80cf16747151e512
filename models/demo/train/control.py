"""A ControlNet (arXiv 2302.05543) for the model's UNet, with diffusers' parameter names, and the edges that it is shown.

The copy of the way down is kept in eight bits (float8_e4m3): in sixteen a ControlNet of this UNet takes more than 7 MB. It
learns with weights that are already rounded, so that the file loses nothing.
"""
import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

import unet

EMBEDDING = (8, 16, 24, 32)  # channels; between two of them the picture is halved
LEVELS = 4  # of the VAE: the picture comes to the size of the latents
LOW, HIGH = 100, 200  # of the gradient, as the engine's own edges have them


def zero(layer):
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Rounded(nn.Module):
    """The nearest values of eight bits; gradients pass as if nothing was rounded."""

    def forward(self, weight):
        return weight + (weight.to(torch.float8_e4m3fn).to(weight.dtype) - weight).detach()


class PictureEmbedding(nn.Module):
    """Edges [N, 3, 2^(levels - 1) h, 2^(levels - 1) w] in 0..1 -> [N, C, h, w]; 0 before training."""

    def __init__(self, channels, levels):
        super().__init__()
        widths = EMBEDDING[:levels]
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        pairs = zip(widths, widths[1:])
        self.blocks = nn.ModuleList(
            layer
            for before, after in pairs
            for layer in (nn.Conv2d(before, before, 3, padding=1), nn.Conv2d(before, after, 3, padding=1, stride=2))
        )
        self.conv_out = zero(nn.Conv2d(widths[-1], channels, 3, padding=1))

    def forward(self, picture):
        x = F.silu(self.conv_in(picture))
        for block in self.blocks:
            x = F.silu(block(x))
        return self.conv_out(x)


class ControlNet(nn.Module):
    """Begins as a copy of the UNet's way down that adds nothing."""

    def __init__(self, model, levels=LEVELS):
        super().__init__()
        for name in ("conv_in", "time_embedding", "down_blocks", "mid_block"):
            setattr(self, name, copy.deepcopy(getattr(model, name)))
        for layer in [layer for layer in self.modules() if hasattr(layer, "weight")]:
            if layer.weight.dim() > 1:
                parametrize.register_parametrization(layer, "weight", Rounded())
        first = unet.CHANNELS[0]
        widths = [first]
        for level, channels in enumerate(unet.CHANNELS):
            widths += [channels] * (unet.LAYERS + (level < len(unet.CHANNELS) - 1))
        self.controlnet_cond_embedding = PictureEmbedding(first, levels)
        self.controlnet_down_blocks = nn.ModuleList(zero(nn.Conv2d(width, width, 1)) for width in widths)
        self.controlnet_mid_block = zero(nn.Conv2d(unet.CHANNELS[-1], unet.CHANNELS[-1], 1))

    def forward(self, latents, timesteps, context, picture):
        """What is added to each of the UNet's skips, and last to its middle."""
        time = self.time_embedding(timesteps)
        x = self.conv_in(latents) + self.controlnet_cond_embedding(picture)
        skips = [x]
        for block in self.down_blocks:
            x, more = block(x, time, context)
            skips += more
        middle = self.mid_block(x, time, context)
        return [layer(skip) for layer, skip in zip(self.controlnet_down_blocks, skips)] + [self.controlnet_mid_block(middle)]

    def tensors(self):
        """A state dict as diffusers names it, and the names of those that are kept in eight bits."""
        state, small = {}, set()
        for name, value in self.state_dict().items():
            plain = name.replace(".parametrizations.", ".").removesuffix(".original")
            if plain != name:
                small.add(plain)
            state[plain] = value
        return state, small


def config_of(model_config, levels=LEVELS):
    return {
        **model_config,
        "_class_name": "ControlNetModel",
        "conditioning_embedding_out_channels": list(EMBEDDING[:levels]),
        "controlnet_conditioning_channel_order": "rgb",
    }


def gradients(image):
    """dx, dy of the channel with the steepest change, of uint8 [H, W, 3]: 3x3 Sobel, edges repeated."""
    padded = np.pad(image.astype(np.int32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    smooth_rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    smooth_columns = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    dx = smooth_rows[:, 2:] - smooth_rows[:, :-2]
    dy = smooth_columns[2:] - smooth_columns[:-2]
    steepest = (np.abs(dx) + np.abs(dy)).argmax(2)[..., None]
    return np.take_along_axis(dx, steepest, 2)[..., 0], np.take_along_axis(dy, steepest, 2)[..., 0]


def canny(image):
    """Edges of uint8 [H, W, 3], one pixel wide: bool [H, W]."""
    dx, dy = gradients(image)
    size = np.abs(dx) + np.abs(dy)
    around = np.pad(size, 1)
    height, width = size.shape
    at = lambda x, y: around[1 + y : 1 + y + height, 1 + x : 1 + x + width]
    flat = np.abs(dy) < np.tan(np.pi / 8) * np.abs(dx)
    steep = np.abs(dy) > np.tan(3 * np.pi / 8) * np.abs(dx)
    falling = dx * dy > 0
    first = np.select([flat, steep, falling], [at(-1, 0), at(0, -1), at(-1, -1)], at(1, -1))
    second = np.select([flat, steep, falling], [at(1, 0), at(0, 1), at(1, 1)], at(-1, 1))
    highest = (size > first) & np.where(flat | steep, size >= second, size > second)
    possible, edges = highest & (size > LOW), highest & (size > HIGH)
    while True:
        wide = np.pad(edges, 1)
        touching = np.any([wide[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)
        grown = possible & touching
        if (grown == edges).all():
            return edges
        edges = grown
