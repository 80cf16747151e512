"""The residual block shared by the autoencoder and the UNet, with a Stable Diffusion checkpoint's parameter names."""
from torch import nn
from torch.nn import functional as F


class GroupNorm(nn.GroupNorm):
    """Group normalisation in float32, also inside half-precision autocast."""

    def forward(self, x):
        return super().forward(x.float())


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
