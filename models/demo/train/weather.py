"""The light of day: skies, the light of the lamp, and what sunset, night and fog do to the land."""
import numpy as np

import noise
from camera import SKY, SPEED
from geometry import paint, ramp, smoothstep

FOG = np.array((0.80, 0.83, 0.86), np.float32)
# RGB of the sun's or the moon's light on objects, and what land is multiplied with.
KEY = {"day": (1.0, 0.97, 0.92), "sunset": (1.0, 0.72, 0.50), "night": (0.70, 0.74, 0.90), "fog": (0.82, 0.84, 0.86)}
LAND = {"day": (1.0, 1.0, 1.0), "sunset": (0.98, 0.70, 0.60), "night": (0.34, 0.41, 0.62), "fog": (0.92, 0.94, 0.96)}


def sky(x, y, scene, zenith, haze):
    """Sky [H, W, 3] above the horizon: zenith and haze are the colours of its day."""
    height = (y + 1) / (scene.horizon + 1)
    view = x + scene.pan * SPEED[SKY]
    clouds = noise.sample(noise.CLOUDS, view * 46 + scene.seed * 29, y * 74 + scene.seed * 13)
    puff = smoothstep(0.2, 1.7, clouds)
    if scene.time == "fog":
        return ramp(FOG * 0.97, FOG * 1.03, height) + (0.015 * clouds)[..., None]
    if scene.time == "night":
        rgb = ramp((0.03, 0.05, 0.17), (0.15, 0.21, 0.42), height**1.5)
        rgb = paint(rgb, (0.20, 0.25, 0.42), 0.5 * puff)
        rgb = rgb + stars(x, y, scene, 26, 0.55)
        return disc(rgb, x, y, scene, -0.66, 0.105, (0.98, 0.97, 0.88), (0.55, 0.62, 0.80), 0.30)
    if scene.time == "sunset":
        rgb = ramp((0.27, 0.25, 0.54), (0.90, 0.46, 0.44), height * 1.5)
        rgb = paint(rgb, (1.0, 0.76, 0.42), smoothstep(0.45, 1.0, height) ** 1.4)
        rgb = paint(rgb, (0.98, 0.62, 0.52), 0.55 * puff)
        return disc(rgb, x, y, scene, scene.horizon - 0.15, 0.13, (1.0, 0.95, 0.74), (1.0, 0.80, 0.45), 0.34)
    rgb = ramp(zenith, haze, height)
    return paint(rgb, (0.99, 0.99, 1.0), 0.88 * puff * (1 - 0.55 * np.clip(height, 0, 1)))


def disc(rgb, x, y, scene, centre_y, radius, colour, glow, reach):
    """Sun or moon on the lamp's side, with its glow."""
    centre_x = np.sign(scene.lamp + 1e-6) * (0.38 + 0.4 * abs(scene.lamp)) - scene.pan * SPEED[SKY]
    distance = np.hypot(x - centre_x, y - centre_y)
    rgb = paint(rgb, glow, 0.8 * np.exp(-((distance / reach) ** 2)))
    return paint(rgb, colour, smoothstep(radius + 0.012, radius - 0.012, distance))


def stars(x, y, scene, count, strength):
    """Soft points of light [H, W, 3]; they stand in the sky's layer."""
    rng = np.random.default_rng(scene.seed + 77)
    light = np.zeros(x.shape + (3,), np.float32)
    centres = rng.uniform(-1.6, 1.6, count), rng.uniform(-1.05, 1.0, count)
    columns, rows = x[x.shape[0] // 2], y[:, 0]
    for px, py, glow in zip((centres[0] - scene.pan * SPEED[SKY] + 1.6) % 3.2 - 1.6, centres[1], rng.uniform(0.4, 1.0, count)):
        width = 0.011 + 0.010 * glow
        right, down = (np.abs(columns - px) < 4 * width).nonzero()[0], (np.abs(rows - py) < 4 * width).nonzero()[0]
        if len(right) and len(down):
            window = np.s_[down[0] : down[-1] + 1, right[0] : right[-1] + 1]
            squared = (x[window] - px) ** 2 + (y[window] - py) ** 2
            light[window] += (strength * glow * np.exp(-squared / (2 * width**2)))[..., None]
    return light


def grade(rgb, scene, depth):
    """Land in the light of its time; depth is 0 near .. 1 at the horizon (a number or an image)."""
    if scene.time == "day":
        return rgb
    rgb = rgb * np.array(LAND[scene.time], np.float32)
    if scene.time == "fog":
        return paint(rgb, FOG, np.broadcast_to(np.clip(0.16 + 0.84 * depth, 0, 1), rgb.shape[:2]))
    if scene.time == "sunset":
        return paint(rgb, (0.98, 0.62, 0.45), np.broadcast_to(0.30 * depth**2, rgb.shape[:2]))
    return rgb + (0.05 * np.broadcast_to(np.asarray(depth, np.float32), rgb.shape[:2]))[..., None]
