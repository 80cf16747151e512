"""The eight places. Every texture is anchored to the world, so a moving camera gives exact optical flow.

A place returns its layers from back to front: (layer number, coverage [H, W] or None for everywhere, rgb [H, W, 3]).
"""
import numpy as np

import noise
from camera import FAR, GROUND, MID, SKY, SPEED, layer_speed
from geometry import cover, paint, ramp, smoothstep
from weather import grade, sky, stars

SNOW = np.array((0.93, 0.95, 0.99), np.float32)


def world_x(x, scene, layer):
    return x + scene.pan * SPEED[layer]


def ground_texture(tile, x, y, scene, scale):
    """A tile laid flat on the ground, fading out towards the horizon."""
    speed = layer_speed(GROUND, y, scene.horizon)
    depth = 1 / speed
    u = (x * depth + scene.pan) * scale + scene.seed * 17
    v = depth * scale * 1.2 + scene.seed * 5
    return np.clip(noise.sample(tile, u, v), -2, 2) * np.clip((speed - 0.32) / 0.5, 0, 1)


def ridge(x, seed, height, frequency):
    """Height of a hill line above the horizon at each world x."""
    phase = 6.28 * ((seed * np.array([0.137, 0.311, 0.733])) % 1)
    waves = np.sin(frequency * x + phase[0]) + 0.5 * np.sin(2.3 * frequency * x + phase[1]) + 0.2 * np.sin(4.1 * frequency * x + phase[2])
    return height * (1 + 0.5 * waves)


def hills(layer, x, y, scene, pixel, near, far, height, frequency, depth):
    """A hill line as a layer, darker at its foot."""
    line = ridge(world_x(x, scene, layer), scene.seed + layer, height, frequency)
    above = scene.horizon - y
    rgb = grade(ramp(near, far, above / np.maximum(line, 1e-3)), scene, depth)
    return layer, cover(line - above, pixel), rgb


def crowns(layer, x, y, scene, pixel, height, spacing, rgb, depth):
    """A row of round trees as a layer."""
    column = world_x(x, scene, layer) / spacing + scene.seed % 17
    number = np.floor(column)
    hashed = np.abs(np.sin(number * 12.9898 + scene.seed % 13) * 43758.5) % 1
    tall = height * (0.70 + 0.5 * hashed)
    across = (column - number - 0.5) * spacing
    above = scene.horizon - y
    inside = np.maximum(0.52 * spacing - np.hypot(across, 0.75 * (above - tall)), (0.55 * tall - above) + 0.10 * spacing * np.cos(6 * column))
    lit = np.clip(0.55 + 0.9 * (above - tall) / height - 1.6 * (across / spacing) ** 2 + 0.3 * across / spacing * np.sign(scene.lamp), 0, 1)
    colour = ramp(np.asarray(rgb) * 0.72, np.asarray(rgb) * 1.12, lit) * (0.90 + 0.2 * hashed)[..., None]
    return layer, cover(inside, pixel), grade(colour, scene, depth)


def near_part(y, scene):
    """0 at the horizon .. 1 at the feet of the camera."""
    return np.clip((y - scene.horizon) / 1.0, 0, 1)


def ground(x, y, scene, pixel, far, near, *textures):
    """The ground's layer: textures are (tile, scale, strength)."""
    rgb = ramp(far, near, near_part(y, scene))
    for tile, scale, strength in textures:
        rgb = rgb * (1 + strength * ground_texture(tile, x, y, scene, scale))[..., None]
    return GROUND, cover(y - scene.horizon, pixel), grade(rgb, scene, 1 - smoothstep(0, 0.45, near_part(y, scene)))


def speckles(layer, x, y, scene, rgbs, share, scale):
    """Flowers or leaves on a ground layer."""
    number, coverage, picture = layer
    for i, rgb in enumerate(rgbs):
        spots = ground_texture(noise.PAPER, x + 0.37 * i, y, scene, scale * (1 + 0.17 * i))
        picture = paint(picture, grade(np.asarray(rgb, np.float32)[None, None], scene, 0.0), 0.85 * smoothstep(share, share + 0.5, spots))
    return number, coverage, picture


def grass(x, y, scene, pixel):
    autumn, spring = scene.season == "autumn", scene.season == "spring"
    far, near = ((0.80, 0.66, 0.30), (0.58, 0.42, 0.14)) if autumn else ((0.55, 0.78, 0.30), (0.22, 0.54, 0.13))
    trees = (0.84, 0.45, 0.12) if autumn else (0.93, 0.66, 0.76) if spring else (0.20, 0.48, 0.18)
    floor = ground(x, y, scene, pixel, far, near, (noise.BLADES, 26, 0.10), (noise.MOTTLE, 11, 0.10))
    if spring:
        floor = speckles(floor, x, y, scene, ((0.98, 0.95, 0.98), (0.97, 0.70, 0.84)), 1.2, 19)
    if autumn:
        floor = speckles(floor, x, y, scene, ((0.90, 0.42, 0.10),), 1.0, 18)
    return (
        (SKY, None, sky(x, y, scene, (0.25, 0.55, 0.94), (0.78, 0.91, 0.99))),
        hills(FAR, x, y, scene, pixel, (0.45, 0.62, 0.62), (0.52, 0.68, 0.76), 0.24, 2.0, 0.75),
        crowns(MID, x, y, scene, pixel, 0.13, 0.19, trees, 0.45),
        floor,
    )


def desert(x, y, scene, pixel):
    return (
        (SKY, None, sky(x, y, scene, (0.28, 0.58, 0.90), (0.98, 0.90, 0.74))),
        hills(FAR, x, y, scene, pixel, (0.80, 0.56, 0.42), (0.82, 0.60, 0.50), 0.26, 1.7, 0.65),
        hills(MID, x, y, scene, pixel, (0.88, 0.66, 0.38), (0.95, 0.76, 0.48), 0.10, 2.6, 0.40),
        ground(x, y, scene, pixel, (0.96, 0.80, 0.52), (0.88, 0.66, 0.36), (noise.RIPPLES, 26, 0.07), (noise.MOTTLE, 9, 0.05)),
    )


def snow(x, y, scene, pixel):
    return (
        (SKY, None, sky(x, y, scene, (0.45, 0.66, 0.90), (0.88, 0.93, 0.98))),
        hills(FAR, x, y, scene, pixel, (0.70, 0.78, 0.90), (0.96, 0.97, 1.0), 0.40, 2.4, 0.55),
        crowns(MID, x, y, scene, pixel, 0.12, 0.24, (0.74, 0.82, 0.88), 0.40),
        ground(x, y, scene, pixel, (0.84, 0.89, 0.96), (0.97, 0.97, 0.99), (noise.MOTTLE, 11, 0.035), (noise.RIPPLES, 20, 0.025)),
    )


def sea(x, y, scene, pixel):
    number, coverage, water = ground(x, y, scene, pixel, (0.30, 0.62, 0.78), (0.04, 0.32, 0.54), (noise.WAVES, 22, 0.13))
    chop = ground_texture(noise.WAVES, x + 0.7, y, scene, 40)
    water = water + (0.10 * smoothstep(0.8, 2.2, chop))[..., None] * np.array((0.8, 0.95, 1.0), np.float32)
    if scene.time in ("sunset", "night"):
        centre = np.sign(scene.lamp + 1e-6) * (0.38 + 0.4 * abs(scene.lamp)) - scene.pan * SPEED[SKY]
        glitter = np.exp(-(((x - centre) / (0.10 + 0.30 * near_part(y, scene))) ** 2)) * (0.55 + 0.3 * chop)
        water = paint(water, (1.0, 0.74, 0.44) if scene.time == "sunset" else (0.62, 0.70, 0.88), np.clip(0.6 * glitter, 0, 0.8))
    return (
        (SKY, None, sky(x, y, scene, (0.22, 0.54, 0.92), (0.80, 0.92, 0.98))),
        hills(FAR, x, y, scene, pixel, (0.45, 0.60, 0.66), (0.52, 0.68, 0.72), 0.06, 1.3, 0.7),
        (number, coverage, water),
    )


def buildings(layer, x, y, scene, pixel, width, low, high, walls, depth):
    """A row of houses with large windows as a layer."""
    column = world_x(x, scene, layer) / width + (scene.seed + 7 * layer) % 91
    number = np.floor(column)
    across = column - number
    hashed = np.abs(np.sin(number * 12.9898 + scene.seed % 13) * 43758.5) % 1
    above = scene.horizon - y
    top = low + (high - low) * hashed
    gap = np.minimum(across, 1 - across) * width
    rgb = ramp(*walls, np.abs(np.sin(number * 4.1 + 1)))
    rgb = grade(rgb * (1.04 - 0.16 * smoothstep(0.4, 0.6, across * np.sign(scene.lamp) % 1))[..., None], scene, depth)
    if scene.season == "winter":
        rgb = paint(rgb, grade(SNOW[None, None], scene, depth), smoothstep(0.05, 0.03, top - above))
    window = np.minimum(0.30 - np.abs(across * 2 % 1 - 0.5), 0.30 - np.abs(above / 0.17 % 1 - 0.5)) * 0.15
    chance = np.abs(np.sin(number * 7.7 + np.floor(across * 2) * 3.1 + np.floor(above / 0.17) * 5.3) * 917.7) % 1
    dark = scene.time in ("night", "sunset")
    unlit = grade(np.array((0.52, 0.66, 0.80), np.float32)[None, None], scene, depth)
    pane = np.where((chance > (0.35 if dark else 2))[..., None], (1.0, 0.80, 0.42), unlit)
    shown = smoothstep(-0.012, 0.012, window) * (above > 0.05) * (above < top - 0.06)
    strength = {"day": 0.55, "sunset": 0.75, "night": 0.9, "fog": 0.30}[scene.time]
    return layer, np.minimum(cover(top - above, pixel), cover(gap - 0.008, pixel)), paint(rgb, pane, strength * shown)


def city(x, y, scene, pixel):
    winter = scene.season == "winter"
    far, near = ((0.86, 0.88, 0.92), (0.93, 0.95, 0.98)) if winter else ((0.56, 0.55, 0.57), (0.42, 0.42, 0.46))
    number, coverage, road = ground(x, y, scene, pixel, far, near, (noise.MOTTLE, 16, 0.045))
    speed = layer_speed(GROUND, y, scene.horizon)
    kerb = smoothstep(0.035, 0.0, np.abs(y - scene.horizon - 0.08) - 0.03)
    road = paint(road, grade(np.array((0.74, 0.72, 0.70), np.float32)[None, None], scene, 0.2), 0.7 * kerb)
    if not winter:
        dash = np.abs(((x / speed + scene.pan) * 0.9 + scene.seed * 0.3) % 1 - 0.5) * 2
        lane = smoothstep(0.05, 0.0, np.abs(y - scene.horizon - 0.62) - 0.03) * smoothstep(0.62, 0.50, dash)
        road = paint(road, grade(np.array((0.95, 0.93, 0.84), np.float32)[None, None], scene, 0), 0.8 * lane)
    return (
        (SKY, None, sky(x, y, scene, (0.34, 0.60, 0.93), (0.86, 0.92, 0.97))),
        buildings(FAR, x, y, scene, pixel, 0.26, 0.30, 0.72, ((0.62, 0.68, 0.78), (0.72, 0.72, 0.78)), 0.55),
        buildings(MID, x, y, scene, pixel, 0.40, 0.14, 0.50, ((0.82, 0.56, 0.46), (0.90, 0.78, 0.62)), 0.15),
        (number, coverage, road),
    )


def trunks(layer, x, y, scene, pixel, spacing, half_width, rgb, depth):
    """Tree trunks that rise out of the picture, as a layer."""
    column = world_x(x, scene, layer) / spacing + (scene.seed * 3 + layer) % 37
    number = np.floor(column)
    hashed = np.abs(np.sin(number * 12.9898 + scene.seed % 13) * 43758.5) % 1
    across = (column - number - 0.5 - 0.5 * (hashed - 0.5)) * spacing
    half = half_width * (0.7 + 0.6 * hashed) * (1 + 0.5 * np.exp(-np.maximum(scene.horizon - y, 0) / 0.10))
    tone = 0.72 + 0.34 * np.clip(0.5 + 0.5 * across / half * np.sign(scene.lamp), 0, 1)
    colour = grade(np.asarray(rgb, np.float32) * tone[..., None], scene, depth)
    return layer, np.minimum(cover(half - np.abs(across), pixel), cover(scene.horizon + 0.03 - y, pixel)), colour


def forest(x, y, scene, pixel):
    autumn, winter = scene.season == "autumn", scene.season == "winter"
    leaves = np.array((0.90, 0.52, 0.16) if autumn else (0.84, 0.89, 0.93) if winter else (0.30, 0.58, 0.20), np.float32)
    light = smoothstep(-1.0, scene.horizon + 0.05, y)
    canopy = noise.sample(noise.MOTTLE, world_x(x, scene, FAR) * 30 + scene.seed * 3, y * 34 + scene.seed)
    haze = np.array((0.98, 0.88, 0.62) if autumn else (0.93, 0.96, 0.98) if winter else (0.80, 0.92, 0.62), np.float32)
    back = grade(ramp(leaves * 0.62, haze, light**1.3) * (1 + 0.10 * np.clip(canopy, -2, 2) * (1 - light))[..., None], scene, 0.55)
    ceiling = y + 0.62 + 0.10 * np.clip(noise.sample(noise.MOTTLE, world_x(x, scene, MID) * 30 + scene.seed * 7, y * 26 + scene.seed), -2, 2)
    mottle = np.clip(noise.sample(noise.MOTTLE, world_x(x, scene, MID) * 44 + scene.seed, y * 44 + scene.seed * 3), -2, 2)
    crown = grade(leaves * ((0.88 if winter else 0.68) + (0.07 if winter else 0.13) * mottle)[..., None], scene, 0.25)
    floor = (0.50, 0.62, 0.26), (0.28, 0.40, 0.14)
    if autumn or winter:
        floor = ((0.78, 0.54, 0.24), (0.60, 0.34, 0.12)) if autumn else ((0.86, 0.90, 0.95), (0.95, 0.96, 0.98))
    under = ground(x, y, scene, pixel, *floor, (noise.MOTTLE, 16, 0.03 if winter else 0.11))
    if autumn:
        under = speckles(under, x, y, scene, ((0.95, 0.62, 0.16), (0.80, 0.28, 0.10)), 0.9, 18)
    bark = (0.36, 0.27, 0.20)
    return (
        (FAR, None, back),
        trunks(FAR, x, y, scene, pixel, 0.20, 0.026, (0.50, 0.46, 0.38), 0.55),
        trunks(MID, x, y, scene, pixel, 0.52, 0.060, bark, 0.20),
        (MID, cover(-ceiling, 6 * pixel), crown),
        under,
    )


def space(x, y, scene, pixel):
    view = world_x(x, scene, SKY)
    clouds_a = noise.sample(noise.CLOUDS, view * 34 + scene.seed * 31, y * 34 + scene.seed * 11)
    clouds_b = noise.sample(noise.MOTTLE, view * 24 + scene.seed * 7, y * 24 + scene.seed * 3)
    rgb = np.zeros(x.shape + (3,), np.float32) + np.array((0.025, 0.025, 0.09), np.float32)
    rgb = rgb + np.clip(clouds_a * 0.55, 0, 1.2)[..., None] * np.array((0.34, 0.09, 0.46), np.float32)
    rgb = rgb + np.clip(clouds_b * 0.50, 0, 1.2)[..., None] * np.array((0.04, 0.20, 0.42), np.float32)
    rgb = rgb + stars(x, y, scene, 44, 0.9)
    rng = np.random.default_rng(scene.seed)
    centre_x, centre_y, radius = rng.uniform(-0.95, 0.95) - scene.pan * SPEED[FAR], rng.uniform(-0.85, -0.45), rng.uniform(0.16, 0.34)
    hue = ((0.85, 0.55, 0.38), (0.40, 0.62, 0.80), (0.72, 0.60, 0.80))[int(rng.integers(3))]
    u, v = (x - centre_x) / radius, (y - centre_y) / radius
    tone = np.clip(0.62 + 0.55 * (u * np.sign(scene.lamp) * 0.8 - v * 0.5), 0.08, 1.1)
    bands = 1 + 0.10 * np.sin(7 * v + 1.2 * np.sin(2 * u) + scene.seed)
    planet = np.array(hue, np.float32) * (tone * bands)[..., None]
    return (SKY, None, rgb), (FAR, cover((1 - np.hypot(u, v)) * radius, pixel), planet)


def underwater(x, y, scene, pixel):
    depth = np.clip((y + 1) / 1.9, 0, 1)
    rgb = ramp((0.42, 0.86, 0.90), (0.03, 0.34, 0.58), depth**0.8)
    slant = world_x(x, scene, SKY) - 0.35 * y * (1 if scene.lamp > 0 else -1)
    rays = noise.sample(noise.CLOUDS, slant * 30 + scene.seed * 29, y * 3 + scene.seed * 13)
    rgb = rgb * (1 + 0.16 * np.clip(rays, -1.5, 2) * (1 - depth))[..., None]
    number, coverage, bed = ground(x, y, scene, pixel, (0.16, 0.52, 0.66), (0.62, 0.76, 0.62), (noise.RIPPLES, 22, 0.06))
    caustics = np.abs(ground_texture(noise.WAVES, x, y, scene, 30))
    bed = bed * (1 + 0.16 * smoothstep(0.5, 0.0, caustics) * near_part(y, scene))[..., None]
    coral = ((0.56, 0.40, 0.58), (0.36, 0.58, 0.50))[scene.seed % 2]
    return (
        (SKY, None, rgb),
        hills(FAR, x, y, scene, pixel, (0.08, 0.40, 0.58), (0.10, 0.46, 0.64), 0.28, 2.2, 0.5),
        crowns(MID, x, y, scene, pixel, 0.14, 0.26, coral, 0.3),
        (number, coverage, bed),
    )


PLACES = {"grass": grass, "desert": desert, "snow": snow, "sea": sea, "city": city, "forest": forest, "space": space, "underwater": underwater}


def draw(x, y, scene, pixel):
    """(rgb [H, W, 3], layer [H, W]) of a scene's place."""
    rgb, layer = None, None
    for number, coverage, colours in PLACES[scene.place](x, y, scene, pixel):
        if coverage is None:
            rgb, layer = colours, np.full(x.shape, number, np.uint8)
        else:
            rgb, layer = paint(rgb, colours, coverage), np.where(coverage > 0.5, np.uint8(number), layer)
    return rgb, layer
