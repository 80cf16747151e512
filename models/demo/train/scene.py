"""One scene: what is in it, where it is, and how it is drawn."""
from dataclasses import dataclass

import numpy as np

import backgrounds
import noise
import styles
from camera import GROUND, OBJECT, OCCLUDER, layer_speed
from geometry import paint, smoothstep
from shapes import DRAW, FOOT, REACH, STANCE, MIRRORED
from solid import Solid
from surface import Light, shade
from weather import KEY, grade
from world import BACKGROUNDS, COLOURS, LOOKS, MATERIALS, OBJECTS, SEASONS_OF, STYLES, TIMES_OF

POST_HALF_WIDTH = 0.09
LIGHT_HEIGHT = (-0.62, 0.62)  # y and z of the lamp's direction before normalising
SUBMERGED = 0.20  # how much of its size an object sinks into the sea
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
        return dict(blur=float(rng.uniform(0.02, 0.07)), shake_x=float(rng.uniform(-0.08, 0.08)), shake_y=float(rng.uniform(-0.06, 0.06)), zoom=float(rng.uniform(0.96, 1.10)))
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


def lamp_direction(scene):
    direction = np.array([scene.lamp, *LIGHT_HEIGHT], np.float32)
    return direction / np.linalg.norm(direction)


def surroundings(scene, rgb, y):
    """The light that falls on the object, taken from the picture behind it."""
    rows, middle = y[:, 0], rgb.shape[0]
    at = int(np.clip(np.searchsorted(rows, scene.horizon), middle // 8, middle - middle // 8 - 1))
    sky, horizon, ground = (part.mean((0, 1)) for part in (rgb[: at // 2 + 1], rgb[at - middle // 10 : at + 1], rgb[at + middle // 10 :]))
    key = np.array(KEY[scene.time], np.float32)
    if scene.place == "underwater":
        key = np.array((0.80, 0.98, 1.0), np.float32)
    return Light(lamp_direction(scene), key, sky, horizon, ground)


def contact_shadow(scene, x, y):
    """Darkness 0..1 of the ground below the object, longer away from the lamp."""
    if scene.place in ("space", "sea"):
        return np.zeros_like(x)
    foot = scene.horizon + 0.45 if scene.place == "underwater" else scene.y + scene.size * FOOT[scene.object]
    reach = STANCE[scene.object] * scene.size
    dx, dy = x - scene.x, (y - foot + 0.015) / (0.20 * reach + 0.03)
    contact = np.exp(-1.6 * ((dx / (1.15 * reach)) ** 2 + dy * dy))
    away = -np.sign(scene.lamp) * dx / (1.9 * reach)
    cast = np.exp(-2.2 * ((away - 0.62) ** 2 * 2.2 + (0.8 * dy + 0.25) ** 2))
    strength = {"day": (0.52, 0.34), "sunset": (0.46, 0.42), "night": (0.50, 0.22), "fog": (0.34, 0.0)}[scene.time]
    if scene.place == "underwater":
        strength = (0.22, 0.0)
    return (1 - (1 - strength[0] * contact) * (1 - strength[1] * cast)) * smoothstep(0.0, 0.03, y - scene.horizon)


def waterline(scene, x):
    """Where the sea's surface cuts the object, y at each x: slightly wavy."""
    base = scene.y + scene.size * (FOOT[scene.object] - SUBMERGED)
    return base + np.float32(0.010) * np.sin(24 * (x - scene.x) + scene.seed)


def draw_post(scene, x, pixel):
    """A round post in the foreground: (coverage, rgb)."""
    across = (x - scene.occluder) / POST_HALF_WIDTH
    coverage = np.clip((1 - np.abs(across)) * POST_HALF_WIDTH / pixel + 0.5, 0, 1)
    tone = 0.50 + 0.50 * np.sqrt(np.clip(1 - (across - 0.25 * np.sign(scene.lamp)) ** 2, 0, 1))
    post = np.array([0.45, 0.32, 0.22], np.float32) * tone[..., None]
    return coverage, grade(post, scene, 0.0)


def film_grain(scene, size):
    """Noise of unit deviation, correlated over about two pixels, new in every frame. [size, size]"""
    rng = np.random.default_rng((scene.seed, scene.grain_seed))
    white = rng.standard_normal((size + 1, size + 1)).astype(np.float32)
    return 0.5 * (white[1:, 1:] + white[:-1, 1:] + white[1:, :-1] + white[:-1, :-1])


def draw_object(scene, rgb, x, y, pixel):
    """(window, coverage, line distance in view units, rgb) of the object, all cropped to the window that it fills."""
    reach = REACH[scene.object] * scene.size * 1.05 + (0.5 if scene.style == "neon" else 0.0)  # room for the glow
    columns = np.flatnonzero(np.abs(x[0] - scene.x) < reach)
    rows = np.flatnonzero(np.abs(y[:, 0] - scene.y) < reach)
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    own_x, own_y = object_coordinates(scene, x[window], y[window])
    turn = scene.turn
    if scene.object in MIRRORED and turn < 0:
        own_x = -own_x
    base = np.array(MATERIALS[scene.look][1] if scene.look in MATERIALS else COLOURS[scene.look], np.float32)
    base = np.clip(base * np.array(scene.tint, np.float32), 0, 1)
    solid = Solid(own_x, own_y, pixel / scene.size, base, paints=scene.look in COLOURS)
    DRAW[scene.object](solid, turn)
    if scene.object in MIRRORED and turn < 0:
        solid.normal[..., 0] *= -1
    light = surroundings(scene, rgb, y)

    def behind(dx, dy):
        return styles.shifted(rgb[window], x[window], y[window], dx * scene.size * window_scale(window, x.shape)[1], dy * scene.size * window_scale(window, x.shape)[0])

    return window, solid.coverage, solid.line * scene.size, shade(solid, scene.look, scene.seed, light, behind), base


def window_scale(window, shape):
    """Frame size over window size, down and across."""
    return tuple(full / (part.stop - part.start) for full, part in zip(shape, window))


def night_and_fog(scene, rgb):
    """The object in its time's light; its colour stays readable."""
    if scene.time == "night":
        return rgb * np.array((0.80, 0.82, 0.95), np.float32)
    if scene.time == "fog":
        return paint(rgb, (0.80, 0.83, 0.86), np.full(rgb.shape[:2], 0.20, np.float32))
    return rgb


def render(scene, size=256):
    """(rgb uint8 [size, size, 3], object mask float [size, size], layer uint8 [size, size], shadow float [size, size])."""
    frame_x, frame_y = frame_coordinates(size)
    x, y = view_coordinates(scene, frame_x, frame_y)
    pixel = 2 / size / scene.zoom
    rgb, layer = backgrounds.draw(x, y, scene, pixel)
    shadow = contact_shadow(scene, x, y)
    rgb = rgb * (1 - shadow)[..., None]

    window, coverage, near_line, body, base = draw_object(scene, rgb, x, y, pixel)
    body = night_and_fog(scene, body)
    mask, line = np.zeros_like(x), np.full_like(x, 9.0)
    mask[window], line[window] = coverage, near_line
    above = rgb
    rgb = rgb.copy()
    rgb[window] = paint(rgb[window], body, coverage)
    if scene.place == "sea":
        surface = waterline(scene, x)
        dry = smoothstep(-pixel, pixel, surface - y)
        rows = np.clip(2 * (surface - scene.shake_y) * scene.zoom * size / 2 - np.arange(size)[:, None] + size - 1, 0, size - 1)
        ripple = 0.02 * noise.sample(noise.WAVES, x * 60, y * 90)
        columns = np.clip(np.arange(size)[None, :] + np.rint(ripple * size / 2), 0, size - 1).astype(np.int32)
        mirrored = rows.astype(np.int32), columns
        fade = 0.55 * np.exp(-(y - surface).clip(0) / (0.8 * scene.size)) * mask[mirrored] * (y > surface)
        wet = paint(above, 0.75 * rgb[mirrored] + 0.05, fade)
        foam = 0.5 * np.exp(-(((y - surface) / 0.012) ** 2)) * smoothstep(0.02, 0.0, np.abs(x - scene.x) - 0.98 * STANCE[scene.object] * scene.size)
        shadow = np.maximum(shadow, np.maximum(fade, foam * (y > surface)))
        rgb = paint(paint(wet, rgb, dry), grade(np.array((0.92, 0.97, 1.0), np.float32)[None, None], scene, 0), foam)
        line = np.where(mask * dry > 0.5, np.minimum(line, np.abs(surface - y)), np.where(dry > 0.5, line, 9.0))
        mask = mask * dry
    layer = np.where(mask > 0.5, np.uint8(OBJECT), layer)
    if scene.style == "neon":
        rgb = styles.neon(rgb, line, x, y, scene, mask, base, layer_speed(GROUND, y, scene.horizon))
    if scene.occluder is not None:
        post_coverage, post = draw_post(scene, x, pixel)
        rgb = paint(rgb, post * (0.35 if scene.style == "neon" else 1.0), post_coverage)
        mask = mask * (1 - post_coverage)
        line = np.where(post_coverage > 0.5, 9.0, line)
        layer = np.where(post_coverage > 0.5, np.uint8(OCCLUDER), layer)
    if scene.style == "pencil":
        rgb = styles.pencil(rgb, line, frame_x, frame_y, scene.seed, mask)
    elif scene.style not in ("photo", "neon"):
        rgb = getattr(styles, scene.style)(rgb, line, frame_x, frame_y, scene.seed)
    return finish(scene, rgb, size), mask, layer.astype(np.uint8), shadow


def finish(scene, rgb, size):
    """The camera's part: motion blur, exposure, grain, eight bits."""
    half = round(scene.blur * size / 4)
    if half:
        total = np.cumsum(np.pad(rgb, ((0, 0), (half + 1, half), (0, 0)), mode="edge"), 1, dtype=np.float32)
        rgb = (total[:, 2 * half + 1 :] - total[:, : -2 * half - 1]) / (2 * half + 1)
    if scene.light != 1 or scene.warmth:
        rgb = rgb * (scene.light * np.array((1 + 0.07 * scene.warmth, 1.0, 1 - 0.11 * scene.warmth), np.float32))
    if scene.grain:
        rgb = rgb + scene.grain * film_grain(scene, size)[..., None]
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
