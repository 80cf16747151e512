"""Draws a scene: place, shadow, object, what stands in front, style, and what the camera does to it."""
import numpy as np

import backgrounds
import noise
import styles
from camera import GROUND, OBJECT, OCCLUDER, layer_speed
from geometry import paint, smoothstep
from scene import frame_coordinates, object_coordinates, view_coordinates
from shapes import DRAW, FOOT, MIRRORED, REACH, STANCE
from solid import Solid
from surface import Light, shade
from weather import FOG, KEY, grade
from world import COLOURS, MATERIALS

POST_HALF_WIDTH = 0.09
LIGHT_HEIGHT = (-0.62, 0.62)  # y and z of the lamp's direction before normalising
SUBMERGED = 0.20  # how much of its size an object sinks into the sea


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


def object_window(scene, x, y):
    """The rows and columns that the object, and the glow of its tubes, can reach, as an index."""
    reach = REACH[scene.object] * scene.size * 1.05 + (0.5 if scene.style == "neon" else 0.0)
    rows, columns = np.flatnonzero(np.abs(y[:, 0] - scene.y) < reach), np.flatnonzero(np.abs(x[0] - scene.x) < reach)
    return np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def base_colour(scene):
    """RGB of the object's paint or material, varied a little."""
    base = MATERIALS[scene.look][1] if scene.look in MATERIALS else COLOURS[scene.look]
    return np.clip(np.array(base, np.float32) * np.array(scene.tint, np.float32), 0, 1)


def build_object(scene, x, y, pixel):
    """The object's Solid at view coordinates x, y."""
    own_x, own_y = object_coordinates(scene, x, y)
    mirrored = scene.object in MIRRORED and scene.turn < 0
    solid = Solid(-own_x if mirrored else own_x, own_y, pixel / scene.size, base_colour(scene), paints=scene.look in COLOURS)
    DRAW[scene.object](solid, scene.turn)
    if mirrored:
        solid.normal[..., 0] *= -1
    return solid


def draw_object(scene, rgb, x, y, pixel):
    """(window, coverage, line distance in view units, rgb) of the object in front of rgb, all but rgb's cropped to it."""
    window = object_window(scene, x, y)
    solid = build_object(scene, x[window], y[window], pixel)
    down, across = (full / (part.stop - part.start) for full, part in zip(x.shape, window))

    def behind(dx, dy):
        return styles.shifted(rgb[window], x[window], y[window], dx * scene.size * across, dy * scene.size * down)

    body = shade(solid, scene.look, scene.seed, surroundings(scene, rgb, y), behind)
    return window, solid.coverage, solid.line * scene.size, in_its_time(scene, body)


def in_its_time(scene, rgb):
    """The object in the light of night or fog; its colour stays readable."""
    if scene.time == "night":
        return rgb * np.array((0.80, 0.82, 0.95), np.float32)
    if scene.time == "fog":
        return paint(rgb, FOG, np.full(rgb.shape[:2], 0.20, np.float32))
    return rgb


def in_the_sea(scene, rgb, empty, mask, line, shadow, x, y, pixel):
    """The object sunk a little, with its reflection and some foam: (rgb, mask, line, shadow). empty is the sea without it;
    shadow marks what the reflection changes."""
    size = x.shape[0]
    surface = waterline(scene, x)
    dry = smoothstep(-pixel, pixel, surface - y)
    rows = np.clip(2 * (surface - scene.shake_y) * scene.zoom * size / 2 - np.arange(size)[:, None] + size - 1, 0, size - 1)
    ripple = 0.02 * noise.sample(noise.WAVES, x * 60, y * 90)
    columns = np.clip(np.arange(size)[None, :] + np.rint(ripple * size / 2), 0, size - 1)
    mirrored = rows.astype(np.int32), columns.astype(np.int32)
    fade = 0.55 * np.exp(-(y - surface).clip(0) / (0.8 * scene.size)) * mask[mirrored] * (y > surface)
    wet = paint(empty, 0.75 * rgb[mirrored] + 0.05, fade)
    beside = np.abs(x - scene.x) - 0.98 * STANCE[scene.object] * scene.size
    foam = 0.5 * np.exp(-(((y - surface) / 0.012) ** 2)) * smoothstep(0.02, 0.0, beside)
    white = grade(np.array((0.92, 0.97, 1.0), np.float32)[None, None], scene, 0)
    line = np.where(mask * dry > 0.5, np.minimum(line, np.abs(surface - y)), np.where(dry > 0.5, line, 9.0))
    shadow = np.maximum(shadow, np.maximum(fade, foam * (y > surface)))
    return paint(paint(wet, rgb, dry), white, foam), mask * dry, line, shadow


def render(scene, size=256):
    """(rgb uint8 [size, size, 3], object mask float [size, size], layer uint8 [size, size], shadow float [size, size])."""
    frame_x, frame_y = frame_coordinates(size)
    x, y = view_coordinates(scene, frame_x, frame_y)
    pixel = 2 / size / scene.zoom
    empty, layer = backgrounds.draw(x, y, scene, pixel)
    shadow = contact_shadow(scene, x, y)
    empty = empty * (1 - shadow)[..., None]

    window, coverage, near_line, body = draw_object(scene, empty, x, y, pixel)
    rgb, mask, line = empty.copy(), np.zeros_like(x), np.full_like(x, 9.0)
    mask[window], line[window] = coverage, near_line
    rgb[window] = paint(rgb[window], body, coverage)
    if scene.place == "sea":
        rgb, mask, line, shadow = in_the_sea(scene, rgb, empty, mask, line, shadow, x, y, pixel)
    layer = np.where(mask > 0.5, np.uint8(OBJECT), layer)
    if scene.style == "neon":
        rgb = styles.neon(rgb, line, x, y, scene, mask, base_colour(scene), layer_speed(GROUND, y, scene.horizon))
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
