"""The objects, each drawn in its own unit coordinates (x right, y down, the object about one unit in radius).

A drawing is (coverage [H, W] in 0..1, rgb [H, W, 3], line_distance [H, W] in units to the nearest drawn line).
"""
import numpy as np

# Lowest point of each object in its own coordinates: where it touches the ground.
FOOT = {"ball": 1.0, "cube": 1.0, "star": 0.86, "car": 0.6, "heart": 0.92}
# Half width of the contact shadow.
STANCE = {"ball": 0.62, "cube": 0.9, "star": 0.65, "car": 1.0, "heart": 0.4}

WHITE = np.ones(3, np.float32)


def smoothstep(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def cover(inside_distance, pixel):
    """Antialiased coverage of a shape from the distance to its edge (positive inside)."""
    return np.clip(inside_distance / pixel + 0.5, 0, 1)


def paint(rgb, colour, coverage):
    """rgb with a colour (3 values or an image) laid over it."""
    return rgb + (np.asarray(colour, np.float32) - rgb) * coverage[..., None]


def lit(base, diffuse, gloss):
    """A toy's plastic: base colour [3], diffuse 0..1, gloss 0..1."""
    tone = 0.40 + 0.66 * diffuse
    return base * tone[..., None] + (WHITE - base * 0.5) * gloss[..., None]


def inflated_normal(inside_distance, thickness, pixel):
    """Unit normals of a flat shape blown up like a cushion, from its inside distance."""
    rise = np.clip(inside_distance / thickness, 0, 1)
    height = thickness * np.sqrt(1 - (1 - rise) ** 2 + 1e-4)
    slope_y, slope_x = np.gradient(height, pixel)
    length = np.sqrt(slope_x**2 + slope_y**2 + 1)
    return -slope_x / length, -slope_y / length, 1 / length


def shade(base, normal, light):
    """Lambert plus a soft highlight; normal is three images, light a unit vector towards the lamp."""
    facing = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    mirror = 2 * facing * normal[2] - light[2]
    return lit(base, np.clip(0.25 + 0.75 * facing, 0, 1), 0.75 * np.clip(mirror, 0, 1) ** 18)


def draw_ball(x, y, pixel, base, light, turn):
    radius = np.sqrt(x * x + y * y)
    inside = 1 - radius
    depth = np.sqrt(np.clip(1 - radius**2, 0, 1))
    rgb = shade(base, (x, y, depth), light)
    bounce = np.clip(y - 0.35, 0, 1) * np.clip(1 - depth, 0, 1)
    return cover(inside, pixel), rgb + 0.25 * base * bounce[..., None], np.abs(inside)


def draw_cube(x, y, pixel, base, light, turn):
    yaw = np.pi / 4 + 0.45 * turn
    pitch = 0.52
    edge = 1.12
    right = np.array([np.cos(yaw), np.sin(yaw) * np.sin(pitch)]) * edge
    left = np.array([-np.sin(yaw), np.cos(yaw) * np.sin(pitch)]) * edge
    down = np.array([0.0, np.cos(pitch)]) * edge
    front_top = 0.5 * (right + left - down)  # the corner nearest to the eye
    faces = ((-right, -left, (0, -1)), (-left, down, (0.8, 0.2)), (-right, down, (-0.8, 0.2)))
    distances, rgb, line = [], np.zeros(x.shape + (3,), np.float32), np.full(x.shape, 9.0, np.float32)
    for a, b, facing in faces:
        scale = a[0] * b[1] - a[1] * b[0]
        px, py = x - front_top[0], y - front_top[1]
        u = (px * b[1] - py * b[0]) / scale
        v = (py * a[0] - px * a[1]) / scale
        height_u = abs(scale) / np.hypot(*b)
        height_v = abs(scale) / np.hypot(*a)
        inside = np.minimum(np.minimum(u, 1 - u) * height_u, np.minimum(v, 1 - v) * height_v)
        diffuse = 0.45 + 0.45 * (facing[0] * light[0] + facing[1] * light[1])
        diffuse = 0.95 if facing[1] < 0 else diffuse
        face = lit(base, diffuse - 0.12 * v, 0.10 * np.clip(1 - v, 0, 1) * (facing[1] < 0))
        bevel = np.clip(1 - inside / 0.07, 0, 1) * 0.22
        face = paint(face, WHITE, bevel)
        rgb = np.where((inside > -0.04)[..., None], face, rgb) if distances else face
        line = np.minimum(line, np.abs(inside))
        distances.append(inside)
    silhouette = np.maximum.reduce(distances)
    closed = cover(silhouette + 1.2 * pixel, pixel)  # the seams between faces stay covered
    return closed, rgb, line


def star_distance(x, y):
    """Inside distance of a fat five-pointed star of radius 1, and the signed side of the arm's ridge."""
    angle = np.arctan2(x, -y)
    sector = 2 * np.pi / 5
    local = (angle + sector / 2) % sector - sector / 2
    radius = np.sqrt(x * x + y * y)
    px, py = radius * np.abs(np.sin(local)), radius * np.cos(local)
    inner = 0.50
    tip = np.array([0.0, 1.0])
    notch = inner * np.array([np.sin(sector / 2), np.cos(sector / 2)])
    side = notch - tip
    normal = np.array([side[1], -side[0]]) / np.hypot(*side)
    return (px - tip[0]) * normal[0] + (py - tip[1]) * normal[1], local, px


def draw_star(x, y, pixel, base, light, turn):
    inside, local, ridge = star_distance(x / 1.04, y / 1.04 + 0.06)
    angle = np.arctan2(x, -y)
    arm = np.round(angle / (2 * np.pi / 5)) * (2 * np.pi / 5)
    tilt = arm + np.sign(local) * np.pi / 2
    facing = np.sin(tilt) * light[0] - np.cos(tilt) * light[1]
    rgb = lit(base, 0.62 + 0.34 * facing, 0.06 + 0.10 * np.clip(facing, 0, 1))
    crease = np.clip(1 - ridge / 0.05, 0, 1) * 0.25 * (inside > 0)
    rgb = paint(rgb, WHITE, crease)
    return cover(inside + 0.02, pixel), rgb, np.abs(inside)


def heart_distance(x, y):
    """Inside distance of a heart about two units wide, tip at y = 0.92."""
    px, py = np.abs(x) / 1.62, (0.92 - y) / 1.62  # now the tip is the origin and y points up
    upper = px + py > 1
    lobe = np.sqrt((px - 0.25) ** 2 + (py - 0.75) ** 2) - np.sqrt(2) / 4
    along = 0.5 * np.maximum(px + py, 0)
    lower = np.sqrt(np.minimum(px**2 + (py - 1) ** 2, (px - along) ** 2 + (py - along) ** 2)) * np.sign(px - py)
    return -1.62 * np.where(upper, lobe, lower)


def draw_heart(x, y, pixel, base, light, turn):
    inside = heart_distance(x, y)
    rgb = shade(base, inflated_normal(inside, 0.62, pixel), light)
    return cover(inside, pixel), rgb, np.abs(inside)


def box_distance(x, y, half_width, half_height, radius):
    """Inside distance of a rounded box."""
    dx, dy = np.abs(x) - half_width + radius, np.abs(y) - half_height + radius
    outside = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
    return radius - outside - np.minimum(np.maximum(dx, dy), 0)


def draw_car(x, y, pixel, base, light, turn):
    x = x if turn >= 0 else -x
    body = box_distance(x, y - 0.12, 1.0, 0.30, 0.20)
    slope = 0.55 * (y + 0.5)  # the cabin widens downwards
    cabin = box_distance(x / (1 + np.clip(slope, 0, 0.6)) + 0.08, y + 0.26, 0.46, 0.36, 0.16)
    wheels = np.maximum(0.26 - np.hypot(x + 0.56, y - 0.34), 0.26 - np.hypot(x - 0.56, y - 0.34))
    arches = wheels + 0.06
    shell = np.maximum(body, cabin)

    tone = np.clip(0.78 - 0.42 * (y - 0.05), 0, 1)
    rgb = lit(base, tone, 0.35 * smoothstep(0.14, 0.0, np.abs(y + 0.06)) * (body > 0))
    glass = np.minimum(cabin - 0.09, -0.10 - y)
    pillar = np.abs(x + 0.06) - 0.045
    rgb = paint(rgb, (0.72, 0.87, 0.96), cover(np.minimum(glass, pillar), pixel))
    rgb = paint(rgb, base * 0.35, cover(arches, pixel) * (body > 0))
    rgb = paint(rgb, (1.0, 0.95, 0.70), cover(0.09 - np.hypot(x - 0.90, y - 0.04), pixel))
    rgb = paint(rgb, (0.07, 0.07, 0.09), cover(wheels, pixel))
    rgb = paint(rgb, (0.75, 0.76, 0.80), cover(wheels - 0.14, pixel))
    silhouette = np.maximum(shell, wheels)
    line = np.minimum.reduce([np.abs(shell), np.abs(wheels), np.abs(np.minimum(glass, pillar))])
    return cover(silhouette, pixel), rgb, np.where(wheels > 0, np.abs(wheels), line)


DRAW = {"ball": draw_ball, "cube": draw_cube, "star": draw_star, "car": draw_car, "heart": draw_heart}
