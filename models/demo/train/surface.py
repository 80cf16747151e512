"""How an object's surface answers light: painted plastic, metal, gold, wood, stone and glass.

Highlights are computed in the object's own coordinates, so they travel with it and optical flow stays exact; only
glass, which shows what is behind it, does not follow the flow.
"""
from dataclasses import dataclass

import numpy as np

import noise
from geometry import paint, ramp, smoothstep


@dataclass(frozen=True)
class Light:
    """lamp is a unit vector towards the lamp [3]; the rest are RGB: its light, and what the surroundings send."""

    lamp: np.ndarray
    key: np.ndarray
    sky: np.ndarray
    horizon: np.ndarray
    ground: np.ndarray


def diffuse_light(normal, light):
    """(Light that falls on each point [H, W, 3], Lambert's cosine [H, W])."""
    facing = normal @ light.lamp
    up = np.clip(0.5 - 0.5 * normal[..., 1], 0, 1)
    around = ramp(0.30 + 0.30 * light.ground, 0.36 + 0.34 * light.sky, up)
    return around + light.key * (0.62 * np.clip(0.2 + 0.8 * facing, 0, 1))[..., None], facing


def highlight(normal, light, sharpness):
    """Brightness of the lamp's mirror image, [H, W]."""
    mirror = 2 * (normal @ light.lamp) * normal[..., 2] - light.lamp[2]
    return np.clip(mirror, 0, 1) ** sharpness


def reflection(normal, light):
    """The surroundings in a mirror [H, W, 3]: ground below, bright horizon, sky above."""
    height = -2 * normal[..., 2] * normal[..., 1]  # of the mirrored view, 1 straight up
    sky = ramp(0.45 + 0.55 * light.horizon, 0.28 + 0.68 * light.sky, height * 1.2)
    ground = ramp(0.12 + 0.30 * light.ground, 0.16 + 0.68 * light.ground, -height * 1.6)
    return paint(ground, sky, smoothstep(-0.10, 0.06, height))


def shade(solid, look, seed, light, behind):
    """RGB [H, W, 3] of a solid; behind(dx, dy) looks up the background at an offset in the object's coordinates."""
    albedo, normal = solid.albedo, solid.normal
    if look == "wood":
        rings = noise.sample(noise.RIPPLES, solid.x * 20 + seed, solid.y * 34 + seed * 3)
        albedo = albedo * (1 + 0.17 * np.clip(rings, -1.6, 1.6))[..., None]
    elif look == "stone":
        rough = noise.sample(noise.MOTTLE, solid.x * 26 + seed, solid.y * 26 + seed * 3)
        albedo = albedo * (1 + 0.15 * np.clip(rough, -1.8, 1.8))[..., None]
    received, facing = diffuse_light(normal, light)
    if look in ("metal", "gold"):
        mirror = reflection(normal, light)
        if look == "gold":
            mirror = paint(mirror, mirror.mean(-1)[..., None], np.float32(0.7) * np.ones(facing.shape, np.float32))
        mirror = mirror * albedo * 1.15
        rgb = 0.22 * albedo * received + 0.86 * mirror
        return rgb + (0.9 * highlight(normal, light, 30))[..., None] * light.key
    rim = (1 - np.clip(normal[..., 2], 0, 1)) ** 2
    if look == "glass":
        seen = behind(-0.34 * normal[..., 0], -0.34 * normal[..., 1])
        body = seen * (0.45 + 0.50 * albedo) + 0.10 * albedo * received
        body = paint(body, 0.25 + 0.75 * light.sky, 0.60 * rim)
        return body + (0.95 * highlight(normal, light, 40) + 0.10 * np.clip(facing, 0, 1))[..., None] * light.key
    gloss = {"wood": 0.10, "stone": 0.0}.get(look, 0.62)
    rgb = albedo * received + (gloss * highlight(normal, light, 22))[..., None] * light.key
    if gloss > 0.5:
        rgb = rgb + (0.12 * rim)[..., None] * light.sky
    return rgb
