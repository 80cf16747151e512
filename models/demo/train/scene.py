"""One scene: what is in it, where it is, and how it is drawn."""
from dataclasses import dataclass

import numpy as np

import backgrounds
from shapes import DRAW, FOOT, STANCE, paint
import styles
from world import BACKGROUNDS, COLOURS, OBJECTS, STYLES

OBJECT, OCCLUDER = 3, 4  # layer numbers above backgrounds.SKY, FAR and GROUND
POST_HALF_WIDTH = 0.09
LIGHT_HEIGHT = (-0.55, 0.70)  # y and z of the lamp's direction before normalising


@dataclass(frozen=True)
class Scene:
    """Lengths are in half frame sizes: the frame spans -1..1 in x and y (down). Angles in radians."""

    object: str
    colour: str
    background: str
    style: str = "photo"
    seed: int = 0
    x: float = 0.0
    y: float = 0.0
    size: float = 0.6
    angle: float = 0.0
    turn: float = 0.0  # -1..1: yaw of a cube, heading of a car
    horizon: float = -0.1
    lamp: float = 0.5  # -1 light from the left .. 1 from the right
    tint: tuple = (1.0, 1.0, 1.0)  # small shift of the object's colour
    light: float = 1.0  # exposure
    pan: float = 0.0
    shake_x: float = 0.0  # where the camera's axis points
    shake_y: float = 0.0
    zoom: float = 1.0
    grain: float = 0.0  # standard deviation of film grain, of 1
    grain_seed: int = 0
    occluder: float = None  # x of a post's middle in the foreground, none by default


def random_scene(rng, **fixed):
    """A scene from the training distribution; keyword arguments pin fields."""
    object_name = fixed.get("object", str(rng.choice(OBJECTS)))
    background = fixed.get("background", str(rng.choice(BACKGROUNDS)))
    size = float(rng.uniform(0.42, 0.68) * (1.12 if object_name == "car" else 1.0))
    afloat = background == "space"
    ground_y = rng.uniform(0.38, 0.86)
    drawn = dict(
        object=object_name,
        colour=str(rng.choice(list(COLOURS))),
        background=background,
        style=str(rng.choice(STYLES, p=(0.5, 0.25, 0.25))),
        seed=int(rng.integers(100000)),
        x=float(rng.uniform(-0.34, 0.34)),
        y=float(rng.uniform(-0.25, 0.25) if afloat else ground_y - size * FOOT[object_name]),
        size=size,
        angle=float(rng.uniform(-0.5, 0.5) if afloat else rng.uniform(-0.08, 0.08)),
        turn=float(rng.uniform(-1, 1)),
        horizon=float(rng.uniform(-0.28, 0.05)),
        lamp=float(rng.uniform(-0.8, 0.8)),
        tint=tuple(float(v) for v in rng.uniform(0.93, 1.05, 3)),
        light=float(rng.uniform(0.90, 1.06)),
        pan=float(rng.uniform(-1, 1)),
    )
    return Scene(**{**drawn, **fixed})


def frame_coordinates(size):
    """Pixel centres of a square frame, x and y each [size, size] in -1..1."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    return np.meshgrid(line, line)


def view_coordinates(scene, x, y):
    """Where the camera's pixels look: undoes zoom and shake."""
    return x / scene.zoom + scene.shake_x, y / scene.zoom + scene.shake_y


def object_coordinates(scene, x, y):
    """View coordinates to the object's own."""
    dx, dy = (x - scene.x) / scene.size, (y - scene.y) / scene.size
    cos, sin = np.cos(scene.angle), np.sin(scene.angle)
    return dx * cos + dy * sin, dy * cos - dx * sin


def lamp_direction(scene):
    direction = np.array([scene.lamp, *LIGHT_HEIGHT], np.float32)
    return direction / np.linalg.norm(direction)


def contact_shadow(scene, x, y):
    """Darkness 0..1 of the ground below the object."""
    if scene.background == "space":
        return np.zeros_like(x)
    foot = scene.y + scene.size * FOOT[scene.object]
    reach = STANCE[scene.object] * scene.size
    dx = (x - scene.x + 0.25 * scene.lamp * reach) / (1.25 * reach)
    dy = (y - foot + 0.02) / (0.30 * reach + 0.03)
    return 0.62 * np.exp(-1.4 * (dx * dx + dy * dy)) * (y > scene.horizon)


def draw_post(scene, x, pixel):
    """A wooden post in the foreground: (coverage, rgb)."""
    across = (x - scene.occluder) / POST_HALF_WIDTH
    coverage = np.clip((1 - np.abs(across)) * POST_HALF_WIDTH / pixel + 0.5, 0, 1)
    tone = 0.55 + 0.45 * np.sqrt(np.clip(1 - across**2, 0, 1))
    return coverage, np.array([0.42, 0.28, 0.18], np.float32) * tone[..., None]


def film_grain(scene, size):
    """Noise of unit deviation, correlated over about two pixels, new in every frame. [size, size]"""
    rng = np.random.default_rng((scene.seed, scene.grain_seed))
    white = rng.standard_normal((size + 1, size + 1)).astype(np.float32)
    return 0.5 * (white[1:, 1:] + white[:-1, 1:] + white[1:, :-1] + white[:-1, :-1])


def render(scene, size=128):
    """(rgb uint8 [size, size, 3], object mask float [size, size], layer uint8 [size, size], shadow float [size, size])."""
    frame_x, frame_y = frame_coordinates(size)
    x, y = view_coordinates(scene, frame_x, frame_y)
    pixel = 2 / size / scene.zoom
    rgb, layer = backgrounds.draw(x, y, scene, pixel)

    shadow = contact_shadow(scene, x, y)
    rgb = rgb * (1 - shadow)[..., None]
    own_x, own_y = object_coordinates(scene, x, y)
    base = np.clip(np.array(COLOURS[scene.colour], np.float32) * np.array(scene.tint, np.float32), 0, 1)
    mask, body, line = DRAW[scene.object](own_x, own_y, pixel / scene.size, base, lamp_direction(scene), scene.turn)
    mask, line = mask.astype(np.float32), line * scene.size
    line = np.where(mask > 0, line, np.maximum(line, pixel))

    if scene.style == "neon":
        speed = backgrounds.layer_speed(backgrounds.GROUND, y, scene.horizon)
        rgb = styles.neon(rgb, mask, line, base, scene, x, y, speed)
    else:
        rgb = paint(rgb, body, mask)
    layer = np.where(mask > 0.5, OBJECT, layer)
    if scene.occluder is not None:
        coverage, post = draw_post(scene, x, pixel)
        rgb = paint(rgb, post, coverage)
        mask = mask * (1 - coverage)
        layer = np.where(coverage > 0.5, OCCLUDER, layer)
    if scene.style == "watercolor":
        rgb = styles.watercolor(rgb, line, frame_x, frame_y, scene.seed)
    rgb = rgb * scene.light
    if scene.grain:
        rgb = rgb + scene.grain * film_grain(scene, size)[..., None]
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8), mask, layer.astype(np.uint8), shadow
