"""The three ways to show a scene: as rendered, as a watercolour on paper, as neon tubes at night."""
import numpy as np

import noise
from shapes import paint, smoothstep

PAPER = np.array([0.975, 0.96, 0.92], np.float32)
# Neon tint of the ground in each place.
NIGHT = {
    "grass": (0.20, 1.00, 0.35),
    "sand": (1.00, 0.66, 0.20),
    "snow": (0.85, 0.95, 1.00),
    "sea": (0.10, 0.75, 1.00),
    "city": (1.00, 0.25, 0.75),
    "space": (0.55, 0.40, 1.00),
}


def watercolor(rgb, line, x, y, seed):
    """Thin paint: pale tones, darker where the brush stopped, bare paper around the picture."""
    granulation = noise.sample(noise.PAPER, x * 60 + seed * 3, y * 60)
    wash = noise.sample(noise.MOTTLE, x * 20 + seed * 7, y * 20 + seed)
    ink = np.exp(-((line / 0.035) ** 2))
    painted = paint(rgb, PAPER, np.clip(0.24 + 0.09 * wash, 0, 1)) * (1 - 0.38 * ink)[..., None]
    edge_noise = noise.sample(noise.MOTTLE, x * 26 + seed, y * 26 + seed * 5)
    inset = 0.90 + 0.035 * edge_noise - np.maximum(np.abs(x), np.abs(y))
    puddle = np.exp(-(((inset - 0.03) / 0.03) ** 2))
    painted = painted * (1 - 0.12 * puddle)[..., None]
    picture = paint(np.broadcast_to(PAPER, rgb.shape), painted, smoothstep(-0.02, 0.02, inset))
    return picture * (1 + 0.012 * granulation)[..., None]


def neon_tube(line, width):
    """(core, glow) of a tube at a distance field."""
    return np.exp(-((line / width) ** 2)), np.exp(-line / (3.2 * width))


def neon(rgb, object_coverage, object_line, object_colour, scene, x, y, speed):
    """Night: the place only glows faintly, the ground is a lit grid, the object is drawn with a bright tube."""
    tint = np.array(NIGHT[scene.background], np.float32)
    grey = rgb.mean(-1, keepdims=True)
    picture = (0.05 + 0.30 * grey * tint + 0.10 * rgb) * np.array([0.85, 0.80, 1.0], np.float32)
    if scene.background != "space":
        below = smoothstep(0.0, 0.06, y - scene.horizon)
        depth = 1 / speed
        across = np.abs(((x * depth + scene.pan) * 1.1) % 1 - 0.5) / (1.1 * depth)
        rows = np.abs((depth * 2.2) % 1 - 0.5) / (2.2 * depth * depth)
        grid = np.maximum(np.exp(-((across / 0.03) ** 2)), np.exp(-((rows / 0.03) ** 2))) * below
        horizon = np.exp(-np.abs(y - scene.horizon) / 0.07)
        picture += tint * (0.55 * grid + 0.55 * horizon)[..., None]
    base = np.asarray(object_colour, np.float32)
    picture = paint(picture, base * 0.30 + 0.02, object_coverage)
    core, glow = neon_tube(object_line, 0.055)
    picture = picture * (1 - 0.6 * glow)[..., None] + base * (0.95 * glow)[..., None]
    return paint(picture, 0.45 + 0.55 * base, 0.9 * core)
