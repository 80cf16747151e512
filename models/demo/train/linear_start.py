"""A start for the autoencoder that already passes a picture through: the mean colour of every latent cell goes in and
comes out again, linearly enlarged. Training then learns corrections, instead of first learning for hours what a colour is.

The stream between the residual blocks carries the three colours twice, with both signs, and two constants:

- silu(y) - silu(-y) = y: the two signs pass the activation in front of an output convolution unchanged.
- A group norm takes mean and variance of a picture away, and with them its absolute colours. The two signs have the mean
  zero, and the constants are so large that the variance is about the same for every picture.

Residual branches begin at zero, changes of resolution are means of 2x2 and linear interpolation.
"""
import math

import torch
from torch import nn

COLOURS = range(3)
NEGATED = range(3, 6)
CONSTANTS = range(6, 8)
CARRIED = 8  # channels of the stream, the first ones
INNER_CONSTANTS = slice(-2, None)  # the same inside a residual branch, for its second norm
LATENT_SCALE = 1.5  # latents per unit of colour
SPREAD = 8.0  # what a norm divides by, above all because of the constants
INNER_GAIN = 4 * SPREAD  # of a branch's second norm: its convolution gives small numbers at first
FULL_PACE_INPUTS = 72  # a weight among so many moves at the full learning rate
FOURTH_SPREAD = 0.7  # standard deviation of the fourth latent
LOG_VARIANCE = -8.0  # of the latents' noise
IDENTITY = torch.zeros(3, 3)
IDENTITY[1, 1] = 1
MEAN = torch.zeros(3, 3)
MEAN[:2, :2] = 0.25
INTERPOLATION = torch.tensor([0.25, 0.5, 0.25])  # after doubling by repetition: linear interpolation
SHARPENING = torch.tensor([-0.25, 1.5, -0.25])  # what three linear interpolations blur


def constant_size(channels):
    """What makes the variance over all channels SPREAD^2."""
    return SPREAD * math.sqrt(channels / len(CONSTANTS))


def carry(conv, kernel, constants=1.0):
    """The carried channels go through `kernel` [k, k], the constants are multiplied; the other outputs stay random, but
    see no constants."""
    place = 0 if conv.stride[0] == 2 else conv.weight.shape[2] // 2  # downsampling pads right and bottom only
    conv.weight[:, list(CONSTANTS)] = 0
    conv.weight[:CARRIED] = 0
    conv.bias.zero_()
    for channel in (*COLOURS, *NEGATED):
        conv.weight[channel, channel] = kernel
    for channel in CONSTANTS:
        conv.weight[channel, channel, place, place] = constants


def begin(conv, kernel):
    """The stream's beginning: the first three inputs through a kernel."""
    conv.weight[:CARRIED] = 0
    conv.bias.zero_()
    for colour in COLOURS:
        conv.weight[colour, colour] = kernel
        conv.weight[colour + 3, colour] = -kernel
    size = constant_size(conv.out_channels)
    conv.bias[CONSTANTS[0]], conv.bias[CONSTANTS[1]] = size, -size


def end(conv, scale):
    """The stream's end, after norm and activation: the first three outputs are the colours times `scale`."""
    centre = conv.weight.shape[2] // 2
    conv.weight[: len(COLOURS)] = 0
    conv.bias.zero_()
    for colour in COLOURS:
        conv.weight[colour, colour, centre, centre] = scale
        conv.weight[colour, colour + 3, centre, centre] = -scale


def keep_size(norm):
    """A norm that gives back what it gets, but for the constants, which are left out."""
    norm.weight.fill_(SPREAD)
    norm.weight[list(CONSTANTS)] = 0


def start_block(block):
    """A residual branch of zero."""
    keep_size(block.norm1)
    size = constant_size(block.conv1.out_channels)
    block.conv1.weight[INNER_CONSTANTS] = 0
    block.conv1.bias[INNER_CONSTANTS] = torch.tensor([size, -size], device=block.conv1.bias.device)
    block.norm2.weight.fill_(INNER_GAIN)
    block.norm2.weight[INNER_CONSTANTS] = 0
    block.conv2.weight.zero_()
    block.conv2.bias.zero_()
    if hasattr(block, "conv_shortcut"):
        conv = block.conv_shortcut
        carry(conv, torch.ones(1, 1), constant_size(conv.out_channels) / constant_size(conv.in_channels))


def spread(norm, x):
    """Mean over pictures of what a group norm divides the first group by."""
    group = x[:, : x.shape[1] // norm.num_groups]
    return group.flatten(1).var(1, unbiased=False).sqrt().mean().item()


@torch.no_grad()
def start_linear(vae, pictures):
    """Sets the weights of a new Autoencoder; `pictures` [N, 3, H, W] in [-1, 1] measure what its last norms divide by."""
    encoder, decoder = vae.encoder, vae.decoder
    for level in (*encoder.down_blocks, *decoder.up_blocks):
        for block in level.resnets:
            start_block(block)
        for downsample in getattr(level, "downsamplers", ()):
            carry(downsample.conv, MEAN)
        for upsample in getattr(level, "upsamplers", ()):
            carry(upsample.conv, INTERPOLATION[:, None] * INTERPOLATION)
    for net in (encoder, decoder):
        for block in net.mid_block.resnets:
            start_block(block)
        for attention in net.mid_block.attentions:
            keep_size(attention.group_norm)
            attention.to_out[0].weight.zero_()
            attention.to_out[0].bias.zero_()
        keep_size(net.conv_norm_out)
    inner = encoder.down_blocks[-2].downsamplers[0].conv.weight  # what else it sends on is differences
    inner[CARRIED:] -= inner[CARRIED:].mean((2, 3), keepdim=True)
    encoder.conv_out.weight[len(COLOURS), :CARRIED] = 0
    begin(encoder.conv_in, IDENTITY)
    begin(decoder.conv_in, SHARPENING[:, None] * SHARPENING / LATENT_SCALE)
    seen = []
    hooks = [net.conv_norm_out.register_forward_pre_hook(lambda norm, x: seen.append(spread(norm, x[0]))) for net in (encoder, decoder)]
    vae.encode(pictures)
    end(encoder.conv_out, seen[0] / SPREAD * LATENT_SCALE)
    nn.init.eye_(vae.quant_conv.weight[:, :, 0, 0])
    vae.quant_conv.bias.zero_()
    latents = vae.quant_conv.out_channels // 2
    vae.quant_conv.weight[latents:] = 0
    vae.quant_conv.bias[latents:] = LOG_VARIANCE
    nn.init.eye_(vae.post_quant_conv.weight[:, :, 0, 0])
    vae.post_quant_conv.bias.zero_()
    encoder.conv_out.weight[len(COLOURS)] *= FOURTH_SPREAD / vae.encode(pictures)[0][:, len(COLOURS)].std()
    vae.decode(vae.encode(pictures)[0])
    end(decoder.conv_out, seen[-1] / SPREAD)
    for hook in hooks:
        hook.remove()


def pace(vae):
    """{parameter: factor of the learning rate}, a tensor of its shape.

    Adam moves every weight by the same amount, so an output moves in proportion to its number of inputs. The factor
    falls with that number (as in maximal update parametrisation, arXiv 2203.03466, table 3); without it the first
    hundred steps lose what the start has given. It is zero for the constants and for what would let them through.
    """
    held = held_parameters(vae)
    factors = {}
    for parameter in vae.parameters():
        inputs = parameter[0].numel() if parameter.dim() > 1 else 1
        factors[parameter] = min(1.0, FULL_PACE_INPUTS / inputs) * held.get(parameter, torch.ones_like(parameter))
    return factors


def held_parameters(vae):
    """{parameter: mask, 1 where it may change}."""
    masks = {}

    def hold(parameter, *index):
        mask = masks.setdefault(parameter, torch.ones_like(parameter))
        mask[index] = 0

    constants = list(CONSTANTS)

    def hold_norm(norm):
        hold(norm.weight, constants)
        hold(norm.bias, constants)

    def hold_conv(conv, inputs):
        hold(conv.weight, constants)
        hold(conv.bias, constants)
        if inputs:
            hold(conv.weight, slice(None), constants)

    def hold_block(block):
        hold_norm(block.norm1)
        for parameter in (block.conv1.weight, block.conv1.bias, block.norm2.weight, block.norm2.bias):
            hold(parameter, INNER_CONSTANTS)
        hold_conv(block.conv2, inputs=False)
        if hasattr(block, "conv_shortcut"):
            hold_conv(block.conv_shortcut, inputs=True)

    for net in (vae.encoder, vae.decoder):
        hold_conv(net.conv_in, inputs=False)
        for level in getattr(net, "down_blocks", getattr(net, "up_blocks", ())):
            for block in level.resnets:
                hold_block(block)
            for resample in getattr(level, "downsamplers", getattr(level, "upsamplers", ())):
                hold_conv(resample.conv, inputs=True)
        for block in net.mid_block.resnets:
            hold_block(block)
        for attention in net.mid_block.attentions:
            hold_norm(attention.group_norm)
            hold(attention.to_out[0].weight, constants)
            hold(attention.to_out[0].bias, constants)
        hold_norm(net.conv_norm_out)
    return masks
