"""Times a UNet of Stable Diffusion 1.5's size in PyTorch, to compare the engine with.

Protocol on standard input and output, one line each: `ready` when built; then for every line read, one forward and its
seconds. Random weights, float32, latents [batch, 4, edge, edge], 77 tokens.

    python3 time_sd15_unet.py THREADS BATCH EDGE
"""
import sys
import time

import torch

import unet

unet.CHANNELS, unet.HEADS, unet.GROUPS, unet.CONTEXT, unet.TIME = [320, 640, 1280, 1280], 8, 32, 768, 1280


def plain_attention(self, x, context):
    """x [N, S, C], context [N, T, C'] -> [N, S, C] without tiles: the whole score matrix at once."""
    n, length, channels = x.shape
    query, key, value = (
        tokens.view(n, -1, unet.HEADS, channels // unet.HEADS).transpose(1, 2)
        for tokens in (self.to_q(x), self.to_k(context), self.to_v(context))
    )
    scores = torch.matmul(query, key.transpose(2, 3)) * (channels // unet.HEADS) ** -0.5
    mixed = torch.matmul(scores.softmax(-1), value).transpose(1, 2).reshape(n, length, channels)
    return self.to_out[0](mixed)


if __name__ == "__main__":
    threads, batch, edge = (int(value) for value in sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    unet.Attention.forward = plain_attention
    network = unet.UNet().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.02)
        latents, context = torch.randn(batch, 4, edge, edge), torch.randn(batch, 77, 768)
        print("ready", flush=True)
        for _ in sys.stdin:
            start = time.perf_counter()
            network(latents, torch.full((batch,), 501), context)
            print(time.perf_counter() - start, flush=True)
