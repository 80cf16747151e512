"""The residual block shared by the autoencoder and the UNet, with a Stable Diffusion checkpoint's parameter names."""
import torch
from torch import nn
from torch.nn import functional as F


def in_half_precision(x):
    """Whether a GPU's autocast is on; its norms would go to float32 and double the memory traffic."""
    return x.is_cuda and torch.is_autocast_enabled("cuda")


class GroupNorm(nn.GroupNorm):
    """Group normalisation; inside a GPU's autocast in bfloat16 (its sums are float32 all the same)."""

    def forward(self, x):
        if not in_half_precision(x):
            return super().forward(x)
        with torch.autocast("cuda", enabled=False):
            half = torch.bfloat16
            return F.group_norm(x.to(half), self.num_groups, self.weight.to(half), self.bias.to(half), self.eps)


class LayerNorm(nn.LayerNorm):
    """Layer normalisation, as GroupNorm."""

    def forward(self, x):
        if not in_half_precision(x):
            return super().forward(x)
        with torch.autocast("cuda", enabled=False):
            half = torch.bfloat16
            return F.layer_norm(x.to(half), self.normalized_shape, self.weight.to(half), self.bias.to(half), self.eps)


class ResnetBlock(nn.Module):
    """[N, in, H, W] -> [N, out, H, W]; time_width 0 leaves out the time embedding."""

    def __init__(self, in_channels, out_channels, groups, eps, time_width=0):
        super().__init__()
        self.norm1 = GroupNorm(groups, in_channels, eps)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        if time_width:
            self.time_emb_proj = nn.Linear(time_width, out_channels)
        self.norm2 = GroupNorm(groups, out_channels, eps)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        if in_channels != out_channels:
            self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x, time=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if time is not None:
            h = h + self.time_emb_proj(F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
