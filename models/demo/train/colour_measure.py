"""Hue of an object in a picture, the measure behind every colour gate."""
import numpy as np


def hue_degrees(rgb):
    """Hue 0..360 and chroma of mean colours rgb [N, 3] (opponent axes, so greys have chroma 0)."""
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    along = r - 0.5 * (g + b)
    across = np.sqrt(0.75) * (g - b)
    return np.degrees(np.arctan2(across, along)) % 360, np.hypot(along, across)


def object_colour(images, masks):
    """Chroma-weighted mean RGB 0..1 inside masks: images uint8 [N, H, W, 3], masks [N, H, W] 0..1 -> [N, 3].

    Weighting by chroma leaves out highlights, windows and tyres.
    """
    rgb = images.astype(np.float32) / 255
    weight = masks * (rgb.max(-1) - rgb.min(-1)) ** 2 + 1e-6
    return (rgb * weight[..., None]).sum((1, 2)) / weight.sum((1, 2))[:, None]


def hue_error(a, b):
    """Smallest angle between two hues in degrees, 0..180."""
    return np.abs((a - b + 180) % 360 - 180)
