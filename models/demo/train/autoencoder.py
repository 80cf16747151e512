"""AutoencoderKL of Stable Diffusion at toy size: 256x256 images <-> 32x32 latents with 4 channels."""
from torch import nn
from torch.nn import functional as F

from residual import GroupNorm, ResnetBlock, Upsample

SCALING_FACTOR = 0.18215
CONFIG = {
    "_class_name": "AutoencoderKL",
    "_diffusers_version": "0.21.0",
    "act_fn": "silu",
    "block_out_channels": [16, 32, 96, 128],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "force_upcast": True,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    "norm_num_groups": 1,
    "out_channels": 3,
    "sample_size": 256,
    "scaling_factor": SCALING_FACTOR,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
EPS = 1e-6


class Attention(nn.Module):
    """Single-head self-attention over all positions, [N, C, H, W] -> same."""

    def __init__(self, channels, groups):
        super().__init__()
        self.group_norm = GroupNorm(groups, channels, EPS)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])
        nn.init.zeros_(self.to_out[0].weight)

    def forward(self, x):
        n, c, h, w = x.shape
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)  # [N, H*W, C]
        mixed = self.to_out[0](F.scaled_dot_product_attention(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens)))
        return x + mixed.transpose(1, 2).reshape(n, c, h, w)


class MidBlock(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.attentions = nn.ModuleList([Attention(channels, groups)])
        self.resnets = nn.ModuleList([ResnetBlock(channels, channels, groups, EPS) for _ in range(2)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))  # Stable Diffusion pads right and bottom only


class Level(nn.Module):
    """Residual blocks at one resolution, then a change of resolution unless it is the last."""

    def __init__(self, in_channels, out_channels, layers, groups, change=None):
        super().__init__()
        self.resnets = nn.ModuleList(
            ResnetBlock(in_channels if i == 0 else out_channels, out_channels, groups, EPS) for i in range(layers)
        )
        if change is Downsample:
            self.downsamplers = nn.ModuleList([Downsample(out_channels)])
        elif change is Upsample:
            self.upsamplers = nn.ModuleList([Upsample(out_channels)])

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        for resample in getattr(self, "downsamplers", getattr(self, "upsamplers", ())):
            x = resample(x)
        return x


class Encoder(nn.Module):
    def __init__(self, channels, layers, groups, latent_channels):
        super().__init__()
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        inputs = (channels[0], *channels[:-1])
        changes = [Downsample] * (len(channels) - 1) + [None]
        self.down_blocks = nn.ModuleList(Level(i, o, layers, groups, c) for i, o, c in zip(inputs, channels, changes))
        self.mid_block = MidBlock(channels[-1], groups)
        self.conv_norm_out = GroupNorm(groups, channels[-1], EPS)
        self.conv_out = nn.Conv2d(channels[-1], 2 * latent_channels, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, channels, layers, groups, latent_channels):
        super().__init__()
        outputs = list(reversed(channels))
        self.conv_in = nn.Conv2d(latent_channels, outputs[0], 3, padding=1)
        self.mid_block = MidBlock(outputs[0], groups)
        inputs = (outputs[0], *outputs[:-1])
        changes = [Upsample] * (len(channels) - 1) + [None]
        self.up_blocks = nn.ModuleList(Level(i, o, layers + 1, groups, c) for i, o, c in zip(inputs, outputs, changes))
        self.conv_norm_out = GroupNorm(groups, outputs[-1], EPS)
        self.conv_out = nn.Conv2d(outputs[-1], 3, 3, padding=1)

    def forward(self, z):
        z = self.mid_block(self.conv_in(z))
        for block in self.up_blocks:
            z = block(z)
        return self.conv_out(F.silu(self.conv_norm_out(z)))


class Autoencoder(nn.Module):
    """Images in [-1, 1]. Latents here are unscaled: the UNet sees them times SCALING_FACTOR."""

    def __init__(self, config=CONFIG):
        super().__init__()
        shape = (config["block_out_channels"], config["layers_per_block"], config["norm_num_groups"])
        latent = config["latent_channels"]
        self.encoder = Encoder(*shape, latent)
        self.decoder = Decoder(*shape, latent)
        self.quant_conv = nn.Conv2d(2 * latent, 2 * latent, 1)
        self.post_quant_conv = nn.Conv2d(latent, latent, 1)

    def encode(self, images):
        """[N, 3, H, W] -> mean and log variance, each [N, 4, H/8, W/8]."""
        mean, log_variance = self.quant_conv(self.encoder(images)).float().chunk(2, 1)
        return mean, log_variance.clamp(-30, 20)

    def decode(self, latents):
        """[N, 4, h, w] -> [N, 3, 8h, 8w]."""
        return self.decoder(self.post_quant_conv(latents)).float()
