"""How a picture can be made: each style reworks the whole frame, without a border."""
import numpy as np

import noise
from geometry import paint, smoothstep

PAPER = np.array([0.97, 0.96, 0.93], np.float32)
# Neon tint of the ground in each place.
NIGHT = {
    "grass": (0.20, 1.00, 0.35), "desert": (1.00, 0.62, 0.20), "snow": (0.75, 0.92, 1.00), "sea": (0.10, 0.75, 1.00),
    "city": (1.00, 0.25, 0.75), "forest": (0.45, 1.00, 0.10), "space": (0.60, 0.40, 1.00), "underwater": (0.10, 1.00, 0.85),
}


def shifted(rgb, x, y, dx, dy):
    """rgb looked up at an offset in view units, nearest pixel, edges repeated."""
    height, width, _ = rgb.shape
    columns = np.clip(np.arange(width)[None, :] + np.rint(dx * width / 2).astype(np.int32), 0, width - 1)
    rows = np.clip(np.arange(height)[:, None] + np.rint(dy * height / 2).astype(np.int32), 0, height - 1)
    return rgb[rows, columns]


def soften(image, radius):
    """Box blur [H, W] or [H, W, C] over 2 * radius + 1 pixels each way."""
    for axis in (0, 1):
        pad = [(radius + 1, radius) if i == axis else (0, 0) for i in range(image.ndim)]
        total = np.cumsum(np.pad(image, pad, mode="edge"), axis, dtype=np.float32)
        length = total.shape[axis]
        image = (total.take(range(2 * radius + 1, length), axis) - total.take(range(length - 2 * radius - 1), axis)) / (2 * radius + 1)
    return image


def slopes(image):
    """Length of the luminance gradient per pixel, [H, W]."""
    down, right = np.gradient(image.mean(-1))
    return np.hypot(down, right)


def watercolor(rgb, line, x, y, seed):
    """Thin paint that ran: pale, uneven washes, darker along edges, the grain of the paper."""
    unit = x.shape[0] / 256
    wash = np.clip(noise.sample(noise.MOTTLE, x * 22 + seed * 7, y * 22 + seed), -2, 2)
    run_x, run_y = (noise.sample(noise.MOTTLE, x * 42 + seed * k, y * 42) for k in (3, 5))
    edge = np.clip(slopes(soften(rgb, max(1, round(unit)))) * 9 * unit, 0, 1)
    flat = soften(shifted(rgb, x, y, 0.012 * run_x, 0.012 * run_y), max(1, round(2 * unit))).clip(0, 1) ** 0.85
    grey = flat.mean(-1)[..., None]
    painted = paint(grey + 1.15 * (flat - grey), PAPER, np.clip(0.28 + 0.13 * wash, 0, 1))
    ink = np.exp(-((line / 0.022) ** 2))
    painted = painted * (1 - 0.20 * edge - 0.30 * ink)[..., None]
    grain = noise.sample(noise.PAPER, x * 60 + seed * 3, y * 60)
    return painted * (1 + 0.014 * np.clip(grain, -2, 2))[..., None]


def oil(rgb, line, x, y, seed):
    """Thick strokes: the picture pulled along a field of brush marks, rich colours, ridges that catch light."""
    unit = x.shape[0] / 256
    stroke = noise.sample(noise.STROKES, (x + 0.5 * y) * 40 + seed * 5, (y - 0.5 * x) * 40 + seed)
    across = noise.sample(noise.STROKES, (x - 0.4 * y) * 40 + seed, (y + 0.4 * x) * 40 + seed * 3)
    pulled = soften(shifted(rgb, x, y, 0.030 * stroke, 0.020 * across), max(1, round(unit)))
    grey = pulled.mean(-1)[..., None]
    rich = np.clip(grey + 1.28 * (pulled - grey), 0, 1)
    rich = rich * rich * (0.7 - 0.4 * rich) + rich * 0.72  # a little more contrast
    ridge = np.clip(stroke - np.roll(stroke, round(2 * unit), 0), -1.5, 1.5)
    return rich * (1 + 0.22 * ridge + 0.05 * np.clip(across, -2, 2))[..., None] + 0.02


def pencil(rgb, line, x, y, seed, coverage):
    """Grey strokes on paper; only the object has some of its colour, as from coloured pencils."""
    unit = x.shape[0] / 256
    grey = soften(rgb, max(1, round(unit))).mean(-1)
    edge = np.clip(slopes(soften(rgb, max(1, round(unit)))) * 11 * unit, 0, 0.75)
    direction = np.where(coverage > 0.5, 1.0, -1.0)
    hatch = 0.5 + 0.5 * np.sin((x + direction * y) * 72 + 2.0 * noise.sample(noise.MOTTLE, x * 20 + seed, y * 20))
    shade = np.clip(1.02 - grey, 0, 1)
    tone = 1 - 0.42 * shade * (0.82 + 0.18 * hatch)
    picture = PAPER * tone[..., None]
    tint = paint(PAPER, rgb, np.clip(0.62 + 0.14 * hatch, 0, 1))
    picture = paint(picture, 0.25 * picture + 0.75 * tint, coverage * 0.95)
    ink = np.maximum(0.85 * np.exp(-((line / 0.016) ** 2)), 0.8 * edge)
    grain = noise.sample(noise.PAPER, x * 60 + seed * 3, y * 60)
    return paint(picture, (0.20, 0.20, 0.23), ink) * (1 + 0.012 * np.clip(grain, -2, 2))[..., None]


def cartoon(rgb, line, x, y, seed):
    """Few tones, strong colours, black outlines."""
    unit = x.shape[0] / 256
    flat = soften(rgb, max(1, round(2 * unit)))
    value = flat.max(-1)[..., None]
    steps = np.floor(value * 4 + 0.3)
    stepped = (steps + smoothstep(0.35, 0.65, value * 4 + 0.3 - steps) - 0.1) / 4
    toned = flat * (stepped / np.maximum(value, 0.05))
    grey = toned.mean(-1)[..., None]
    strong = np.clip(grey + 1.45 * (toned - grey), 0, 1) * 1.06 + 0.03
    bright = smoothstep(0.15, 0.45, soften(flat.mean(-1), max(2, round(5 * unit))))
    edge = smoothstep(0.28, 0.75, slopes(soften(rgb, max(1, round(unit)))) * 11 * unit) * bright
    ink = np.maximum(smoothstep(0.036, 0.020, line), 0.75 * edge)
    return paint(strong, (0.05, 0.04, 0.08), ink)


def neon(rgb, line, x, y, scene, coverage, base, speed):
    """Night: the place glows faintly, the ground is a lit grid, bright tubes draw the object."""
    tint = np.array(NIGHT[scene.place], np.float32)
    grey = rgb.mean(-1)[..., None]
    picture = (0.04 + 0.26 * grey * tint + 0.08 * rgb) * np.array([0.85, 0.80, 1.0], np.float32)
    if scene.place != "space":
        below = smoothstep(0.0, 0.06, y - scene.horizon)
        depth = 1 / speed
        across = np.abs(((x * depth + scene.pan) * 1.1) % 1 - 0.5) / (1.1 * depth)
        rows = np.abs((depth * 2.2) % 1 - 0.5) / (2.2 * depth * depth)
        grid = np.maximum(np.exp(-((across / 0.022) ** 2)), np.exp(-((rows / 0.022) ** 2))) * below
        picture = picture + tint * (0.50 * grid + 0.50 * np.exp(-np.abs(y - scene.horizon) / 0.07))[..., None]
    base = np.asarray(base, np.float32)
    picture = paint(picture, base * 0.30 + 0.02, coverage)
    core, glow = np.exp(-((line / 0.032) ** 2)), np.exp(-line / 0.11)
    picture = picture * (1 - 0.6 * glow)[..., None] + base * (0.95 * glow)[..., None]
    return paint(picture, 0.45 + 0.55 * base, 0.92 * core)
