"""Stable Diffusion 1.x in PyTorch with random weights: what the engine's speed is compared with.

The networks have the topology and sizes of `stable-diffusion-v1-5` (or smaller ones for a rehearsal), scaled dot
product attention, channels-last convolutions and inference mode; half precision on CUDA, single precision on a CPU.
Values mean nothing, and time does not depend on them.

Protocol: one JSON object per line on standard input, one on standard output. The first line out is
{"ready": true, "device": ..., "name": ..., "torch": ...}. A request {"part": P, ...} is answered by {"seconds": S} or
{"error": text}. A shape that comes for the first time is run twice before it is timed.

    part "unet"      batch, height, width (of the latents)
    part "encode"    batch, height, width (of the picture), part "decode" likewise
    part "text"      batch (of prompts with 77 tokens)
    part "matmul"    size: one product of two square half precision matrices

    python3 torch_reference.py [--device cuda|cpu] [--threads N] [--channels 320,640,1280,1280] [--context 768]
"""

import argparse
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """x [N, S, C], context [N, T, D] -> [N, S, C]."""

    def __init__(self, width, context, heads, bias=False):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias)
        self.to_k = nn.Linear(context, width, bias)
        self.to_v = nn.Linear(context, width, bias)
        self.to_out = nn.Linear(width, width)

    def forward(self, x, context=None, causal=False):
        context = x if context is None else context
        query, key, value = (
            tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for tokens in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.to_out(mixed.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """A transformer block of the UNet between two 1x1 convolutions."""

    def __init__(self, width, context, heads, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, 1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attn1 = Attention(width, width, heads)
        self.attn2 = Attention(width, context, heads)
        self.gate = nn.Linear(width, 8 * width)
        self.down = nn.Linear(4 * width, width)
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x, context):
        height = x.shape[2]
        tokens = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        tokens = tokens + self.attn1(self.norms[0](tokens))
        tokens = tokens + self.attn2(self.norms[1](tokens), context)
        value, gate = self.gate(self.norms[2](tokens)).chunk(2, -1)
        tokens = tokens + self.down(value * functional.gelu(gate))
        return x + self.proj_out(tokens.transpose(1, 2).unflatten(2, (height, -1)))


class Residual(nn.Module):
    def __init__(self, width_in, width_out, groups, time=None, epsilon=1e-5):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, width_in, epsilon)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.time = None if time is None else nn.Linear(time, width_out)
        self.norm2 = nn.GroupNorm(groups, width_out, epsilon)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.shortcut = nn.Identity() if width_in == width_out else nn.Conv2d(width_in, width_out, 1)

    def forward(self, x, time=None):
        hidden = self.conv1(functional.silu(self.norm1(x)))
        if self.time is not None:
            hidden = hidden + self.time(functional.silu(time))[:, :, None, None]
        return self.shortcut(x) + self.conv2(functional.silu(self.norm2(hidden)))


class UNet(nn.Module):
    """UNet2DConditionModel of Stable Diffusion 1.x: four levels, two blocks down and three up, no attention at the last."""

    def __init__(self, channels, context, heads=8, groups=32):
        super().__init__()
        time = 4 * channels[0]
        self.time1, self.time2 = nn.Linear(channels[0], time), nn.Linear(time, time)
        self.conv_in = nn.Conv2d(4, channels[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        skips, width, last = [channels[0]], channels[0], len(channels) - 1
        for level, out in enumerate(channels):
            for _ in range(2):
                attention = Transformer(out, context, heads, groups) if level < last else None
                self.down.append(nn.ModuleList([Residual(width, out, groups, time), attention]))
                width = out
                skips.append(width)
            if level < last:
                self.down.append(nn.ModuleList([nn.Conv2d(width, width, 3, stride=2, padding=1)]))
                skips.append(width)
        self.mid = nn.ModuleList(
            [Residual(width, width, groups, time), Transformer(width, context, heads, groups), Residual(width, width, groups, time)]
        )
        for level, out in reversed(list(enumerate(channels))):
            for _ in range(3):
                attention = Transformer(out, context, heads, groups) if level < last else None
                self.up.append(nn.ModuleList([Residual(width + skips.pop(), out, groups, time), attention]))
                width = out
            if level > 0:
                self.up.append(nn.ModuleList([nn.Conv2d(width, width, 3, padding=1)]))
        self.norm_out, self.conv_out = nn.GroupNorm(groups, width), nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, latents, features, context):
        time = self.time2(functional.silu(self.time1(features)))
        x = self.conv_in(latents)
        skips = [x]
        for block in self.down:
            x = run_block(block, x, time, context)
            skips.append(x)
        x = self.mid[2](self.mid[1](self.mid[0](x, time), context), time)
        for block in self.up:
            if len(block) == 1:
                x = block[0](functional.interpolate(x, scale_factor=2.0, mode="nearest"))
            else:
                x = run_block(block, torch.cat([x, skips.pop()], 1), time, context)
        return self.conv_out(functional.silu(self.norm_out(x)))


def run_block(block, x, time, context):
    if len(block) == 1:
        return block[0](x)
    residual, attention = block
    x = residual(x, time)
    return x if attention is None else attention(x, context)


class PictureAttention(nn.Module):
    """The one attention of the VAE: a single head over all positions."""

    def __init__(self, width, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, 1e-6)
        self.attention = Attention(width, width, 1, bias=True)

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attention(tokens).transpose(1, 2).unflatten(2, (x.shape[2], -1))


def vae_middle(width, groups):
    return [Residual(width, width, groups, epsilon=1e-6), PictureAttention(width, groups), Residual(width, width, groups, epsilon=1e-6)]


class Downsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x):
        return self.conv(functional.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


def vae_ends(width, groups):
    return [nn.GroupNorm(groups, width, 1e-6), nn.SiLU()]


def make_encoder(channels, groups):
    layers, width = [nn.Conv2d(3, channels[0], 3, padding=1)], channels[0]
    for level, out in enumerate(channels):
        for _ in range(2):
            layers.append(Residual(width, out, groups, epsilon=1e-6))
            width = out
        if level < len(channels) - 1:
            layers.append(Downsample(width))
    return nn.Sequential(*layers, *vae_middle(width, groups), *vae_ends(width, groups), nn.Conv2d(width, 8, 3, padding=1), nn.Conv2d(8, 8, 1))


def make_decoder(channels, groups):
    width = channels[-1]
    layers = [nn.Conv2d(4, 4, 1), nn.Conv2d(4, width, 3, padding=1), *vae_middle(width, groups)]
    for level, out in enumerate(reversed(channels)):
        for _ in range(3):
            layers.append(Residual(width, out, groups, epsilon=1e-6))
            width = out
        if level < len(channels) - 1:
            layers.append(Upsample(width))
    return nn.Sequential(*layers, *vae_ends(width, groups), nn.Conv2d(width, 3, 3, padding=1))


class TextEncoder(nn.Module):
    """CLIP's text model: causal attention, quick GELU."""

    def __init__(self, width, layers=12, heads=12, vocabulary=49408):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(77, width)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [nn.LayerNorm(width), Attention(width, width, heads, bias=True), nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)]
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.tokens(ids) + self.places.weight
        for norm1, attention, norm2, fc1, fc2 in self.layers:
            x = x + attention(norm1(x), causal=True)
            hidden = fc1(norm2(x))
            x = x + fc2(hidden * torch.sigmoid(1.702 * hidden))
        return self.norm(x)


class Reference:
    """Builds each network when it is first asked for, and times one forward at a time."""

    def __init__(self, device, channels, context):
        self.device, self.channels, self.context = device, channels, context
        self.dtype = torch.float16 if device == "cuda" else torch.float32
        # 128, 256, 512, 512 for Stable Diffusion's 320, 640, 1280, 1280.
        self.vae_channels = [max(8, width * 2 // 5) for width in channels]
        self.networks, self.warm = {}, set()

    def network(self, part):
        if part not in self.networks:
            vae_groups = 32 if self.channels[0] >= 320 else 4
            make = {
                "unet": lambda: UNet(self.channels, self.context, groups=32 if self.channels[0] >= 320 else 8),
                "encode": lambda: make_encoder(self.vae_channels, vae_groups),
                "decode": lambda: make_decoder(self.vae_channels, vae_groups),
                "text": lambda: TextEncoder(self.context, heads=12 if self.context % 12 == 0 else 4),
            }[part]
            with torch.device(self.device):
                network = make().eval().to(self.dtype)
            self.networks[part] = network.to(memory_format=torch.channels_last)
        return self.networks[part]

    def inputs(self, part, batch, height, width):
        options = {"device": self.device, "dtype": self.dtype}
        picture = lambda channels: torch.randn(batch, channels, height, width, **options).to(memory_format=torch.channels_last)  # noqa: E731
        if part == "unet":
            return picture(4), torch.randn(batch, self.channels[0], **options), torch.randn(batch, 77, self.context, **options)
        if part == "encode":
            return (picture(3),)
        if part == "decode":
            scale = 2 ** (len(self.vae_channels) - 1)
            height, width = height // scale, width // scale
            return (picture(4),)
        return (torch.randint(0, 1000, (batch, 77), device=self.device),)

    def run(self, part, batch=1, height=0, width=0, size=0):
        if part == "matmul":
            matrix = torch.randn(size, size, device=self.device, dtype=self.dtype)
            return self.timed((part, size), lambda: matrix @ matrix)
        network, inputs = self.network(part), self.inputs(part, batch, height, width)
        return self.timed((part, batch, height, width), lambda: network(*inputs))

    def timed(self, shape, work):
        if shape not in self.warm:
            self.warm.add(shape)
            work(), work()
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--channels", default="320,640,1280,1280")
    parser.add_argument("--context", type=int, default=768)
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    reference = Reference(options.device, [int(width) for width in options.channels.split(",")], options.context)
    name = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    say({"ready": True, "device": options.device, "name": name, "torch": torch.__version__})
    with torch.inference_mode():
        for line in sys.stdin:
            try:
                say({"seconds": reference.run(**json.loads(line))})
            except Exception as error:  # One shape that does not fit must not end the others.
                say({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


def say(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
