"""The denoiser of Stable Diffusion 1.x at toy size, with the parameter names of its checkpoint."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from residual import GroupNorm, LayerNorm, ResnetBlock, Upsample

CONFIG = {
    "_class_name": "UNet2DConditionModel",
    "_diffusers_version": "0.21.0",
    "act_fn": "silu",
    "attention_head_dim": 4,
    "block_out_channels": [40, 64, 128, 112],
    "center_input_sample": False,
    "cross_attention_dim": 96,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "downsample_padding": 1,
    "dual_cross_attention": False,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "in_channels": 4,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "norm_eps": 1e-05,
    "norm_num_groups": 8,
    "only_cross_attention": False,
    "out_channels": 4,
    # Where Plug-and-Play reaches in: features at 16x16, as in Stable Diffusion, whose latents are twice as large.
    "plug_and_play": {
        "features": "up_blocks.2.resnets.1",
        "attention": ["up_blocks.1.attentions.1", "up_blocks.1.attentions.2", "up_blocks.2.attentions", "up_blocks.3.attentions"],
    },
    "sample_size": 32,
    "transformer_layers_per_block": 1,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "upcast_attention": False,
    "use_linear_projection": False,
}
HEADS = CONFIG["attention_head_dim"]  # in Stable Diffusion 1.x this field is the number of heads
GROUPS, EPS = CONFIG["norm_num_groups"], CONFIG["norm_eps"]
CONTEXT = CONFIG["cross_attention_dim"]
CHANNELS, LAYERS = CONFIG["block_out_channels"], CONFIG["layers_per_block"]
TIME = 4 * CHANNELS[0]


def sinusoid(timesteps, width):
    """[N] -> [N, width]: cosines, then sines."""
    frequency = torch.exp(-math.log(10000) * torch.arange(width // 2, device=timesteps.device) / (width // 2))
    angle = timesteps.float()[:, None] * frequency
    return torch.cat([angle.cos(), angle.sin()], 1)


class TimeEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_1 = nn.Linear(CHANNELS[0], TIME)
        self.linear_2 = nn.Linear(TIME, TIME)

    def forward(self, timesteps):
        return self.linear_2(F.silu(self.linear_1(sinusoid(timesteps, CHANNELS[0]))))


def attend(q, k, v):
    """Softmax attention of [N, heads, T, depth]. A GPU's fast kernels want a depth that is a multiple of 8."""
    depth = q.shape[-1]
    missing = -depth % 8 if q.is_cuda else 0
    if missing:
        q, k, v = (F.pad(part, (0, missing)) for part in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, scale=depth**-0.5)[..., :depth]


class Attention(nn.Module):
    def __init__(self, channels, context_channels):
        super().__init__()
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_channels, channels, bias=False)
        self.to_v = nn.Linear(context_channels, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])
        nn.init.zeros_(self.to_out[0].weight)

    def forward(self, x, context):
        """x [N, S, C], context [N, T, C'] -> [N, S, C]."""
        n, length, channels = x.shape

        def heads(tokens):  # [N, T, C] -> [N, HEADS, T, C / HEADS]
            return tokens.view(n, -1, HEADS, channels // HEADS).transpose(1, 2)

        mixed = attend(heads(self.to_q(x)), heads(self.to_k(context)), heads(self.to_v(context)))
        return self.to_out[0](mixed.transpose(1, 2).reshape(n, length, channels))


class Geglu(nn.Module):
    def __init__(self, channels, inner):
        super().__init__()
        self.proj = nn.Linear(channels, 2 * inner)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate.contiguous())  # torch's fast kernel takes contiguous input only


class FeedForward(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.net = nn.ModuleList([Geglu(channels, 4 * channels), nn.Identity(), nn.Linear(4 * channels, channels)])
        nn.init.zeros_(self.net[2].weight)

    def forward(self, x):
        return self.net[2](self.net[0](x))


class TransformerBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1 = LayerNorm(channels)
        self.attn1 = Attention(channels, channels)
        self.norm2 = LayerNorm(channels)
        self.attn2 = Attention(channels, CONTEXT)
        self.norm3 = LayerNorm(channels)
        self.ff = FeedForward(channels)

    def forward(self, x, context, keys=slice(None)):
        """x [N, S, C]; keys picks the tokens that self-attention may look at."""
        h = self.norm1(x)
        x = x + self.attn1(h, h[:, keys])
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


def jittered_keys(height, width):
    """One random token number of every 2x2 block: a quarter of the keys, spread evenly."""
    rows = torch.arange(0, height, 2)[:, None] + torch.randint(0, 2, (height // 2, width // 2))
    columns = torch.arange(0, width, 2)[None, :] + torch.randint(0, 2, (height // 2, width // 2))
    return (rows * width + columns).flatten()


class Transformer(nn.Module):
    """[N, C, H, W] attends to itself and to the caption.

    thin_keys, for training alone, lets levels of 1024 tokens and more look at a jittered quarter of them: neighbouring
    latents are alike, and a training step takes little more than half the time.
    """

    thin_keys = False

    def __init__(self, channels):
        super().__init__()
        self.norm = GroupNorm(GROUPS, channels, 1e-6)
        self.proj_in = nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(channels)])
        self.proj_out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.proj_out.weight)

    def forward(self, x, context):
        n, c, h, w = x.shape
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)  # [N, H*W, C]
        keys = jittered_keys(h, w) if self.thin_keys and h * w >= 1024 else slice(None)
        tokens = self.transformer_blocks[0](tokens, context, keys)
        return x + self.proj_out(tokens.transpose(1, 2).reshape(n, c, h, w))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x)


def make_layers(inputs, channels, attends):
    """Residual blocks with the given input widths, and a transformer after each where the level attends."""
    resnets = nn.ModuleList(ResnetBlock(i, channels, GROUPS, EPS, TIME) for i in inputs)
    return resnets, nn.ModuleList(Transformer(channels) for _ in inputs) if attends else None


class DownBlock(nn.Module):
    def __init__(self, in_channels, channels, attends, last):
        super().__init__()
        resnets, attentions = make_layers([in_channels] + [channels] * (LAYERS - 1), channels, attends)
        if attends:
            self.attentions = attentions
        self.resnets = resnets
        self.downsamplers = nn.ModuleList([] if last else [Downsample(channels)])

    def forward(self, x, time, context):
        """The block's output and the list of its skips."""
        skips = []
        for i, resnet in enumerate(self.resnets):
            x = resnet(x, time)
            if hasattr(self, "attentions"):
                x = self.attentions[i](x, context)
            skips.append(x)
        for downsample in self.downsamplers:
            x = downsample(x)
            skips.append(x)
        return x, skips


class UpBlock(nn.Module):
    def __init__(self, in_channels, channels, skip_channels, attends, last):
        super().__init__()
        inputs = [(in_channels if i == 0 else channels) + skip for i, skip in enumerate(skip_channels)]
        resnets, attentions = make_layers(inputs, channels, attends)
        if attends:
            self.attentions = attentions
        self.resnets = resnets
        self.upsamplers = nn.ModuleList([] if last else [Upsample(channels)])

    def forward(self, x, skips, time, context):
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, skips.pop()], 1), time)
            if hasattr(self, "attentions"):
                x = self.attentions[i](x, context)
        for upsample in self.upsamplers:
            x = upsample(x)
        return x


class MidBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.attentions = nn.ModuleList([Transformer(channels)])
        self.resnets = nn.ModuleList(ResnetBlock(channels, channels, GROUPS, EPS, TIME) for _ in range(2))

    def forward(self, x, time, context):
        return self.resnets[1](self.attentions[0](self.resnets[0](x, time), context), time)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        deepest = len(CHANNELS) - 1
        self.conv_in = nn.Conv2d(4, CHANNELS[0], 3, padding=1)
        self.time_embedding = TimeEmbedding()
        inputs = [CHANNELS[0], *CHANNELS[:-1]]
        self.down_blocks = nn.ModuleList(
            DownBlock(inputs[i], CHANNELS[i], attends=i < deepest, last=i == deepest) for i in range(deepest + 1)
        )
        self.mid_block = MidBlock(CHANNELS[-1])
        skips = [CHANNELS[0]]
        for i, channels in enumerate(CHANNELS):
            skips += [channels] * (LAYERS + (i < deepest))
        self.up_blocks = nn.ModuleList()
        width = CHANNELS[-1]
        for i, channels in enumerate(reversed(CHANNELS)):
            taken = [skips.pop() for _ in range(LAYERS + 1)]
            self.up_blocks.append(UpBlock(width, channels, taken, attends=i > 0, last=i == deepest))
            width = channels
        self.conv_norm_out = GroupNorm(GROUPS, CHANNELS[0], EPS)
        self.conv_out = nn.Conv2d(CHANNELS[0], 4, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, latents, timesteps, context, residuals=None):
        """latents [N, 4, h, w], timesteps [N], context [N, T, 96] -> predicted v, [N, 4, h, w] in float32.

        residuals: what a ControlNet adds to each skip, and last to the middle.
        """
        time = self.time_embedding(timesteps)
        x = self.conv_in(latents)
        skips = [x]
        for block in self.down_blocks:
            x, more = block(x, time, context)
            skips += more
        x = self.mid_block(x, time, context)
        if residuals is not None:
            *added, middle = residuals
            skips = [skip + more for skip, more in zip(skips, added, strict=True)]
            x = x + middle
        for block in self.up_blocks:
            x = block(x, skips, time, context)
        return self.conv_out(F.silu(self.conv_norm_out(x))).float()
