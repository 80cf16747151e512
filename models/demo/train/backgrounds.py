"""The six places. Every texture is anchored to the world, so a moving camera gives exact optical flow.

View coordinates: x right, y down, both -1..1 at zoom 1. Sky, far hills and ground move at their own speed
when the camera pans: see `layer_speed`.
"""
import numpy as np

import noise
from shapes import paint, smoothstep

SKY, FAR, GROUND = 0, 1, 2  # layer numbers; the object is 3, an occluder 4
SKY_SPEED, FAR_SPEED = 0.10, 0.25
CAMERA_HEIGHT = 0.8


def layer_speed(layer, y, horizon):
    """How far a point of a layer moves left, in view units, when the camera pans right by one."""
    if layer == SKY:
        return np.full_like(y, SKY_SPEED)
    if layer == FAR:
        return np.full_like(y, FAR_SPEED)
    return FAR_SPEED + np.maximum(y - horizon, 0) / CAMERA_HEIGHT


def colour(*rgb):
    return np.array(rgb, np.float32)


def ramp(low, high, t):
    """Colours between two, t is an image."""
    return low + (high - low) * np.clip(t, 0, 1)[..., None]


def ridge(x, seed, height, frequency):
    """Height of a hill line above the horizon at each world x."""
    phase = 6.28 * np.array([(seed * 0.137) % 1, (seed * 0.311) % 1, (seed * 0.733) % 1])
    waves = np.sin(frequency * x + phase[0]) + 0.6 * np.sin(2.3 * frequency * x + phase[1]) + 0.3 * np.sin(4.1 * frequency * x + phase[2])
    return height * (1 + 0.45 * waves)


def ground_texture(tile, x, y, scene, scale):
    """A tile laid flat on the ground, fading out towards the horizon."""
    speed = layer_speed(GROUND, y, scene.horizon)
    depth = 1 / speed
    u = (x * depth + scene.pan) * scale + scene.seed * 17
    v = depth * scale * 1.2 + scene.seed * 5
    return noise.sample(tile, u, v) * np.clip((speed - 0.30) / 0.5, 0, 1)


def clouds(x, y, scene):
    return noise.sample(noise.CLOUDS, (x + scene.pan * SKY_SPEED) * 46 + scene.seed * 29, y * 70 + scene.seed * 13)


def day_sky(x, y, scene, zenith, haze):
    """A sky ramp with soft clouds."""
    height = (y + 1) / (scene.horizon + 1)
    sky = ramp(zenith, haze, height)
    puff = smoothstep(0.1, 1.6, clouds(x, y, scene)) * (1 - 0.6 * np.clip(height, 0, 1))
    return paint(sky, (0.98, 0.98, 1.0), 0.85 * puff)


def hills(x, y, scene, pixel, near, far, height, frequency):
    """Far hills: (coverage, rgb)."""
    top = ridge(x + scene.pan * FAR_SPEED, scene.seed, height, frequency)
    rise = (scene.horizon - y) / np.maximum(top, 1e-3)
    coverage = np.clip((top - (scene.horizon - y)) / pixel + 0.5, 0, 1)
    return coverage, ramp(near, far, rise)


def grass(x, y, scene, pixel):
    sky = day_sky(x, y, scene, colour(0.22, 0.50, 0.90), colour(0.72, 0.87, 0.98))
    far = hills(x, y, scene, pixel, colour(0.22, 0.50, 0.30), colour(0.38, 0.60, 0.48), 0.14, 3.0)
    blades = ground_texture(noise.BLADES, x, y, scene, 34)
    patches = ground_texture(noise.MOTTLE, x, y, scene, 14)
    near = np.clip((y - scene.horizon) / 1.0, 0, 1)
    ground = ramp(colour(0.42, 0.68, 0.22), colour(0.20, 0.50, 0.10), near)
    ground = ground * (1 + 0.13 * blades + 0.10 * patches)[..., None]
    return sky, far, ground


def sand(x, y, scene, pixel):
    sky = day_sky(x, y, scene, colour(0.36, 0.66, 0.92), colour(0.96, 0.90, 0.76))
    far = hills(x, y, scene, pixel, colour(0.86, 0.66, 0.40), colour(0.93, 0.76, 0.50), 0.13, 2.2)
    ripples = ground_texture(noise.RIPPLES, x, y, scene, 30)
    drifts = ground_texture(noise.MOTTLE, x, y, scene, 10)
    near = np.clip((y - scene.horizon) / 1.0, 0, 1)
    ground = ramp(colour(0.95, 0.80, 0.54), colour(0.84, 0.64, 0.36), near)
    ground = ground * (1 + 0.08 * ripples + 0.06 * drifts)[..., None]
    return sky, far, ground


def snow(x, y, scene, pixel):
    sky = day_sky(x, y, scene, colour(0.56, 0.72, 0.88), colour(0.88, 0.92, 0.96))
    coverage, rgb = hills(x, y, scene, pixel, colour(0.60, 0.68, 0.78), colour(0.97, 0.98, 1.0), 0.30, 2.6)
    drifts = ground_texture(noise.MOTTLE, x, y, scene, 12)
    crust = ground_texture(noise.RIPPLES, x, y, scene, 22)
    near = np.clip((y - scene.horizon) / 1.0, 0, 1)
    ground = ramp(colour(0.86, 0.90, 0.96), colour(0.97, 0.97, 0.99), near)
    ground = ground - (0.05 * np.maximum(drifts, -1) + 0.03 * crust)[..., None] * colour(1.3, 1.0, 0.5)
    return sky, (coverage, rgb), ground


def sea(x, y, scene, pixel):
    sky = day_sky(x, y, scene, colour(0.30, 0.58, 0.90), colour(0.86, 0.93, 0.97))
    none = (np.zeros_like(x), np.zeros(x.shape + (3,), np.float32))
    swell = ground_texture(noise.WAVES, x, y, scene, 20)
    chop = ground_texture(noise.WAVES, x + 0.7, y, scene, 44)
    near = np.clip((y - scene.horizon) / 1.1, 0, 1)
    water = ramp(colour(0.16, 0.50, 0.68), colour(0.02, 0.26, 0.46), near)
    water = water * (1 + 0.20 * swell)[..., None]
    water = paint(water, (0.80, 0.94, 0.97), 0.7 * smoothstep(1.0, 2.4, swell + 0.7 * chop))
    return sky, none, water


def city(x, y, scene, pixel):
    height = (y + 1) / (scene.horizon + 1)
    sky = ramp(colour(0.16, 0.14, 0.36), colour(0.96, 0.58, 0.42), height**1.5)
    world = x + scene.pan * FAR_SPEED
    block = world * 4.2 + scene.seed % 91
    number = np.floor(block)
    across = block - number
    hashed = np.abs(np.sin(number * 12.9898 + scene.seed % 13)) * 43.7585 % 1
    top = 0.30 + 0.52 * hashed
    above = scene.horizon - y
    gap = np.minimum(across, 1 - across) / 4.2
    coverage = np.clip((top - above) / pixel + 0.5, 0, 1) * np.where(hashed > 0.12, np.clip((gap - 0.006) / pixel + 0.5, 0, 1), 0.0)
    column = across * 3.0
    floor = above * 9.0
    window_x = np.clip(2.2 - np.abs(column % 1 - 0.5) * 7, 0, 1)
    window_y = np.clip(2.2 - np.abs(floor % 1 - 0.5) * 6, 0, 1)
    chance = np.abs(np.sin(number * 7.7 + np.floor(column) * 3.1 + np.floor(floor) * 5.3 + scene.seed % 7)) * 91.7 % 1
    walls = ramp(colour(0.17, 0.15, 0.27), colour(0.28, 0.22, 0.36), hashed) * (1 - 0.25 * above)[..., None]
    walls = paint(walls, (1.0, 0.80, 0.40), window_x * window_y * (chance > 0.45) * (above > 0.07))
    asphalt = ground_texture(noise.MOTTLE, x, y, scene, 20)
    near = np.clip((y - scene.horizon) / 1.0, 0, 1)
    road = ramp(colour(0.36, 0.32, 0.38), colour(0.25, 0.25, 0.30), near) * (1 + 0.07 * asphalt)[..., None]
    speed = layer_speed(GROUND, y, scene.horizon)
    dash = np.abs(((x / speed + scene.pan) * 0.9 + scene.seed * 0.3) % 1 - 0.5) * 2
    lane = smoothstep(0.05, 0.0, np.abs(y - scene.horizon - 0.50) - 0.022) * smoothstep(0.62, 0.52, dash)
    kerb = smoothstep(0.04, 0.0, np.abs(y - scene.horizon - 0.07) - 0.02)
    road = paint(road, (0.90, 0.88, 0.80), 0.85 * lane)
    road = paint(road, (0.62, 0.58, 0.62), 0.8 * kerb)
    return sky, (coverage, walls), road


def space(x, y, scene, pixel):
    view = x + scene.pan * SKY_SPEED
    clouds_a = noise.sample(noise.CLOUDS, view * 34 + scene.seed * 31, y * 34 + scene.seed * 11)
    clouds_b = noise.sample(noise.MOTTLE, view * 26 + scene.seed * 7, y * 26 + scene.seed * 3)
    sky = np.zeros(x.shape + (3,), np.float32) + colour(0.02, 0.02, 0.08)
    sky += np.clip(clouds_a * 0.55, 0, 1.2)[..., None] * colour(0.26, 0.07, 0.40)
    sky += np.clip(clouds_b * 0.5, 0, 1.2)[..., None] * colour(0.03, 0.16, 0.36)
    rng = np.random.default_rng(scene.seed)
    star_x, star_y = rng.uniform(-2, 2, 60), rng.uniform(-1.1, 1.1, 60)
    glow = rng.uniform(0.35, 1.0, 60) ** 1.5
    for px, py, brightness in zip((star_x - scene.pan * SKY_SPEED + 2) % 4 - 2, star_y, glow):
        reach = (np.abs(x[0] - px) < 0.12).nonzero()[0], (np.abs(y[:, 0] - py) < 0.12).nonzero()[0]
        if len(reach[0]) and len(reach[1]):
            window = np.s_[reach[1][0] : reach[1][-1] + 1, reach[0][0] : reach[0][-1] + 1]
            squared = (x[window] - px) ** 2 + (y[window] - py) ** 2
            width = 0.012 + 0.012 * brightness
            sky[window] += (brightness * np.exp(-squared / (2 * width**2)))[..., None] * colour(0.96, 0.97, 1.0)
    none = (np.zeros_like(x), sky)
    return sky, none, None


PLACES = {"grass": grass, "sand": sand, "snow": snow, "sea": sea, "city": city, "space": space}


def draw(x, y, scene, pixel):
    """(rgb [H, W, 3], layer [H, W] of SKY, FAR or GROUND)."""
    sky, (far_coverage, far_rgb), ground = PLACES[scene.background](x, y, scene, pixel)
    rgb = paint(sky, far_rgb, far_coverage)
    layer = np.where(far_coverage > 0.5, FAR, SKY)
    if ground is None:
        return rgb, layer
    ground_coverage = np.clip((y - scene.horizon) / pixel + 0.5, 0, 1)
    return paint(rgb, ground, ground_coverage), np.where(ground_coverage > 0.5, GROUND, layer)
