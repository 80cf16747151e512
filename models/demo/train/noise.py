"""Tileable fractal noise, the raw material of every texture in the scenes."""
import numpy as np

TILE = 256  # texels per tile edge


def fractal_tile(seed, falloff, stretch_x=1.0, stretch_y=1.0):
    """Gaussian noise with amplitude ~ frequency^-falloff, [TILE, TILE], zero mean and unit variance.

    A stretch above 1 makes features longer along that axis.
    """
    rng = np.random.default_rng(seed)
    frequency = np.fft.fftfreq(TILE) * TILE
    radius = np.hypot(frequency[None, :] * stretch_x, frequency[:, None] * stretch_y)
    radius[0, 0] = 1
    amplitude = radius**-falloff
    amplitude[0, 0] = 0
    tile = np.fft.ifft2(np.fft.fft2(rng.standard_normal((TILE, TILE))) * amplitude).real
    return (tile / tile.std()).astype(np.float32)


CLOUDS = fractal_tile(1, 2.0, stretch_x=1.8)
MOTTLE = fractal_tile(2, 1.9)
BLADES = fractal_tile(3, 1.6, stretch_y=2.5)
RIPPLES = fractal_tile(4, 1.9, stretch_x=4.0)
WAVES = fractal_tile(5, 1.9, stretch_x=3.0)
PAPER = fractal_tile(6, 1.4)
STROKES = fractal_tile(7, 1.7, stretch_x=3.0)


def sample(tile, u, v):
    """Bilinear lookup at texel coordinates u, v (any shape, wrapping)."""
    u0, v0 = np.floor(u), np.floor(v)
    fu, fv = np.asarray(u - u0, np.float32), np.asarray(v - v0, np.float32)
    left, top = u0.astype(np.int32) & (TILE - 1), (v0.astype(np.int32) & (TILE - 1)) * TILE
    right, bottom = (left + 1) & (TILE - 1), (top + TILE) & (TILE * TILE - 1)
    texels = tile.ravel()
    upper = texels.take(top + left)
    upper += (texels.take(top + right) - upper) * fu
    lower = texels.take(bottom + left)
    lower += (texels.take(bottom + right) - lower) * fu
    return upper + (lower - upper) * fv
