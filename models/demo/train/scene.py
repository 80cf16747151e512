"""One scene: what is in it and where it is. render.py draws it."""
from dataclasses import dataclass

import numpy as np

from shapes import FOOT
from world import BACKGROUNDS, COLOURS, LOOKS, OBJECTS, SEASONS_OF, STYLES, TIMES_OF

AFLOAT = ("space", "underwater")  # where objects hover and turn


@dataclass(frozen=True)
class Scene:
    """Lengths are in half frame sizes: the frame spans -1..1 in x and y (down). Angles in radians."""

    object: str
    look: str  # a colour or a material
    place: str
    time: str = "day"
    season: str = "none"
    style: str = "photo"
    seed: int = 0
    x: float = 0.0
    y: float = 0.0
    size: float = 0.5
    angle: float = 0.0
    turn: float = 0.0  # -1..1: yaw of a cube, stripe of a ball; its sign is the heading of a car
    horizon: float = -0.1
    lamp: float = 0.5  # -1 light from the left .. 1 from the right
    tint: tuple = (1.0, 1.0, 1.0)  # small shift of the object's colour
    light: float = 1.0  # exposure
    warmth: float = 0.0  # -1 bluish .. 1 yellowish light
    pan: float = 0.0
    shake_x: float = 0.0  # where the camera's axis points
    shake_y: float = 0.0
    zoom: float = 1.0
    blur: float = 0.0  # length of a horizontal motion blur
    grain: float = 0.0  # standard deviation of film grain, of 1
    grain_seed: int = 0
    occluder: float = None  # x of a post's middle in the foreground, none by default


def random_scene(rng, **fixed):
    """A scene from the training distribution; keyword arguments pin fields."""
    def pick(name, choices, p=None):
        return fixed[name] if name in fixed else str(rng.choice(choices, p=p))

    style = pick("style", tuple(STYLES), (0.42, 0.12, 0.12, 0.11, 0.12, 0.11))
    place = pick("place", BACKGROUNDS)
    looks = tuple(COLOURS) if style == "neon" else LOOKS
    plain = style in ("neon", "pencil")  # these show neither time nor season
    times, seasons = TIMES_OF[place], SEASONS_OF.get(place, ("none",))
    p = np.array([0.49, 0.17, 0.17, 0.17])
    time = "day" if plain or len(times) == 1 else pick("time", times, p)
    p = np.array([1.0] + [1.1 / (len(seasons) - 1)] * (len(seasons) - 1)) if len(seasons) > 1 else np.ones(1)
    season = "none" if plain else pick("season", seasons, p / p.sum())
    name = pick("object", OBJECTS)
    size = float(rng.uniform(0.38, 0.60) * {"car": 0.98, "fish": 1.02, "mushroom": 1.0}.get(name, 1.0))
    afloat = place in AFLOAT
    ground_y = rng.uniform(0.34, 0.84)
    drawn = dict(
        object=name, look=pick("look", looks), place=place, time=time, season=season, style=style,
        seed=int(rng.integers(100000)),
        x=float(rng.uniform(-1, 1) * (0.86 - size) * 0.9),
        y=float(rng.uniform(-0.22, 0.22) if afloat else ground_y - size * FOOT[name]),
        size=size,
        angle=float(rng.uniform(-0.4, 0.4) if afloat else rng.uniform(-0.07, 0.07)),
        turn=float(rng.uniform(-1, 1)),
        horizon=float(rng.uniform(-0.26, 0.06)) + (0.42 if place == "underwater" else 0.0),
        lamp=float(rng.uniform(0.25, 0.9) * rng.choice((-1, 1))),
        tint=tuple(float(v) for v in rng.uniform(0.94, 1.05, 3)),
        light=float(rng.uniform(0.94, 1.05)),
        pan=float(rng.uniform(-1, 1)),
    )
    if rng.random() < 0.2:
        drawn.update(trouble(rng))
    return Scene(**{**drawn, **fixed})


def trouble(rng):
    """What real footage has and drawings have not: one of an unsteady camera, an obstacle, grain, another light."""
    kind = int(rng.integers(4))
    if kind == 0:
        camera = dict(shake_x=(-0.08, 0.08), shake_y=(-0.06, 0.06), zoom=(0.96, 1.10))
        blur = float(rng.uniform(0.02, 0.07))
        return dict(blur=blur, **{name: float(rng.uniform(*span)) for name, span in camera.items()})
    if kind == 1:
        return dict(occluder=float(rng.uniform(-0.9, 0.9)))
    if kind == 2:
        return dict(grain=float(rng.uniform(0.008, 0.025)), grain_seed=int(rng.integers(1 << 30)))
    return dict(light=float(rng.uniform(0.76, 1.14)), warmth=float(rng.uniform(-1, 1)))


def frame_coordinates(size):
    """Pixel centres of a square frame, x and y each [size, size] in -1..1."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    return np.meshgrid(line, line)


def view_coordinates(scene, x, y):
    """Where the camera's pixels look: undoes zoom and shake."""
    return x / np.float32(scene.zoom) + np.float32(scene.shake_x), y / np.float32(scene.zoom) + np.float32(scene.shake_y)


def object_coordinates(scene, x, y):
    """View coordinates to the object's own."""
    dx, dy = (x - np.float32(scene.x)) / np.float32(scene.size), (y - np.float32(scene.y)) / np.float32(scene.size)
    cos, sin = np.float32(np.cos(scene.angle)), np.float32(np.sin(scene.angle))
    return dx * cos + dy * sin, dy * cos - dx * sin
