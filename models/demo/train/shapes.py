"""The objects, each drawn in its own unit coordinates (x right, y down)."""
import numpy as np

from geometry import box, circle, convex, ellipse, smoothstep, union

# Lowest point of each object in its own coordinates: where it touches the ground.
FOOT = {
    "ball": 1.0, "cube": 0.88, "star": 0.80, "heart": 0.94, "car": 0.66,
    "house": 0.92, "boat": 0.80, "fish": 0.66, "duck": 0.88, "mushroom": 0.95,
}
# Half width of the contact shadow.
STANCE = {
    "ball": 0.60, "cube": 0.95, "star": 0.65, "heart": 0.40, "car": 1.0,
    "house": 0.80, "boat": 0.75, "fish": 0.60, "duck": 0.75, "mushroom": 0.42,
}
# Half width of what is drawn, for the size of the crop.
REACH = {name: 1.12 for name in FOOT} | {"car": 1.2, "cube": 1.2, "boat": 1.18, "fish": 1.3, "duck": 1.2}
# Objects that look the same from the left and from the right.
MIRRORED = ("car", "fish", "duck", "boat")

WHITE, BLACK = (0.97, 0.97, 0.96), (0.07, 0.07, 0.09)
WINDOW = (0.62, 0.82, 0.94)


def sphere(solid, inside, radius, centre_x=0.0, centre_y=0.0):
    u, v = (solid.x - centre_x) / radius, (solid.y - centre_y) / radius
    depth = np.sqrt(np.clip(1 - u * u - v * v, 0.0025, 1))
    length = np.sqrt(u * u + v * v + depth * depth)
    return np.stack([u / length, v / length, depth / length], -1)


def draw_ball(s, turn):
    inside = circle(s.x, s.y, 0, 0, 1)
    normal = sphere(s, inside, 1)
    s.add(inside, s.colour(), normal=normal)
    tilt = 0.55 + 0.5 * turn
    axis = np.array([np.sin(tilt), np.cos(tilt), 0.35], np.float32) / np.sqrt(1.1225)
    band = np.abs(normal @ axis - 0.05)
    s.decal(0.17 - band, s.colour(WHITE))


def draw_cube(s, turn):
    yaw, pitch, edge = np.pi / 4 + 0.45 * turn, 0.52, 1.14
    right = np.array([np.cos(yaw), np.sin(yaw) * np.sin(pitch)]) * edge
    left = np.array([-np.sin(yaw), np.cos(yaw) * np.sin(pitch)]) * edge
    down = np.array([0.0, np.cos(pitch)]) * edge
    front = 0.5 * (right + left - down)  # the corner nearest to the eye
    faces = (
        ((-left, down), (np.cos(yaw) * 0.85, 0.15, 0.5), 0.86),
        ((-right, down), (-np.sin(yaw) * 0.85, 0.15, 0.5), 0.80),
        ((-right, -left), (0.0, -0.86, 0.5), 1.0),
    )
    for (a, b), normal, tone in faces:
        scale = a[0] * b[1] - a[1] * b[0]
        px, py = s.x - front[0], s.y - front[1]
        u, v = (px * b[1] - py * b[0]) / scale, (py * a[0] - px * a[1]) / scale
        inside = np.minimum(np.minimum(u, 1 - u) * abs(scale) / np.hypot(*b), np.minimum(v, 1 - v) * abs(scale) / np.hypot(*a))
        bevel = np.clip(1 - inside / 0.06, 0, 1)[..., None]
        normal = np.array(normal, np.float32) / np.linalg.norm(normal)
        soft = normal * (1 - 0.5 * bevel) + np.array([0, -0.15, 0.5], np.float32) * bevel
        s.add(inside + 1.2 * s.pixel, s.colour(tone=tone), normal=soft / np.linalg.norm(soft, axis=-1, keepdims=True))
        s.decal(0.025 - np.abs(inside - 0.16) * (inside > 0), s.colour(tone=0.82 * tone), strength=0.7)


def draw_star(s, turn):
    x, y = s.x / 1.06, s.y / 1.06 + 0.06
    sector = 2 * np.pi / 5
    angle = np.arctan2(x, -y)
    arm = np.round(angle / sector) * sector
    local = angle - arm
    radius = np.hypot(x, y)
    across, along = radius * np.abs(np.sin(local)), radius * np.cos(local)
    notch = 0.52 * np.array([np.sin(sector / 2), np.cos(sector / 2)])
    side = notch - np.array([0.0, 1.0])
    normal = np.array([side[1], -side[0]]) / np.hypot(*side)
    inside = across * normal[0] + (along - 1) * normal[1]
    tilt = arm + np.where(local > 0, 1, -1) * np.pi / 2
    soft = smoothstep(0, 0.05, across) * 0.66
    facet = np.stack([np.sin(tilt) * soft, -np.cos(tilt) * soft, np.sqrt(1 - soft**2)], -1).astype(np.float32)
    s.add(inside * 1.06 + 0.02, s.colour(), normal=facet)


def draw_heart(s, turn):
    px, py = np.abs(s.x) / 1.62, (0.94 - s.y) / 1.62  # the tip is the origin and py points up
    lobe = np.hypot(px - 0.25, py - 0.75) - np.sqrt(2) / 4
    along = 0.5 * np.maximum(px + py, 0)
    lower = np.sqrt(np.minimum(px**2 + (py - 1) ** 2, (px - along) ** 2 + (py - along) ** 2)) * np.sign(px - py)
    inside = -1.62 * np.where(px + py > 1, lobe, lower)
    s.add(inside, s.colour(), thickness=0.62)


def draw_car(s, turn):
    x, y = s.x, s.y
    body = box(x, y, 0, 0.18, 1.06, 0.30, 0.20)
    widen = 1 + np.clip(0.5 * (y + 0.62), 0, 0.5)
    cabin = box(x / widen, y, -0.07, -0.22, 0.52, 0.42, 0.20)
    shell = union(body, cabin, 0.10)
    s.add(shell, s.colour(), thickness=0.30)
    glass = np.minimum(cabin - 0.10, -0.06 - y)
    s.decal(np.minimum(glass, np.abs(x + 0.05) - 0.045), s.colour(WINDOW), outline=True)
    s.decal(0.03 - np.abs(y - 0.20) * (np.abs(x) < 0.98), s.colour(tone=0.72), strength=0.6)
    s.decal(ellipse(x, y, 0.94, 0.08, 0.10, 0.09), s.colour((1.0, 0.95, 0.72)))
    s.decal(ellipse(x, y, -0.99, 0.08, 0.06, 0.09), s.colour((0.75, 0.08, 0.08)))
    for centre in (-0.58, 0.58):
        wheel = circle(x, y, centre, 0.38, 0.28)
        s.decal(wheel + 0.06, s.colour(tone=0.40))
        s.add(wheel, s.colour(BLACK), thickness=0.10)
        s.add(wheel - 0.13, s.colour((0.80, 0.81, 0.84)), thickness=0.12, outline=False)


def draw_house(s, turn):
    x, y = s.x, s.y
    s.add(box(x, y, 0.42 * (1 if turn > 0 else -1), -0.66, 0.12, 0.30), s.colour((0.52, 0.30, 0.26)), thickness=0.1)
    s.add(box(x, y, 0, 0.36, 0.78, 0.56, 0.02), s.colour(), normal=(0.0, 0.10, 0.99))
    roof = convex(x, y, (-1.06, -0.10), (-0.42, -0.94), (0.42, -0.94), (1.06, -0.10), (1.0, -0.02), (-1.0, -0.02))
    s.decal(0.16 - np.abs(y - 0.06), s.colour(tone=0.70), strength=0.5)
    s.add(roof, s.colour(own=s.base * 0.50 if s.paints else (0.3, 0.3, 0.3)), normal=(0.0, -0.55, 0.83))
    door = box(x, y, 0.0, 0.59, 0.19, 0.34, 0.06)
    s.add(door, s.colour((0.40, 0.24, 0.14)), thickness=0.05)
    for centre in (-0.47, 0.47):
        pane = box(x, y, centre, 0.38, 0.17, 0.18, 0.02)
        s.add(pane + 0.04, s.colour(WHITE), thickness=0.05, outline=False)
        s.decal(pane, s.colour((1.0, 0.86, 0.50)), outline=True)


def draw_boat(s, turn):
    x, y = s.x, s.y
    s.add(box(x, y, -0.02, -0.25, 0.035, 0.80), s.colour((0.48, 0.32, 0.20)), thickness=0.04, outline=False)
    main = convex(x, y, (0.03, -1.04), (0.80, 0.26), (0.03, 0.26))
    jib = convex(x, y, (-0.10, -0.86), (-0.10, 0.26), (-0.78, 0.26))
    s.add(np.maximum(main, -9), s.colour(tone=1.0), normal=(0.25, -0.15, 0.95))
    s.add(np.where(jib > -9, jib, -9), s.colour(WHITE), normal=(-0.25, -0.15, 0.95))
    hull = np.minimum(convex(x, y, (-1.08, 0.32), (1.10, 0.32), (0.70, 0.84), (-0.72, 0.84)), 0.80 - y)
    s.add(hull, s.colour(tone=0.92), thickness=0.30)
    s.decal(0.05 - np.abs(y - 0.44), s.colour(WHITE), strength=0.9)


def draw_fish(s, turn):
    x, y = s.x, s.y
    tail = union(convex(x, y, (-0.50, 0.06), (-0.92, 0.03), (-1.16, -0.58)), convex(x, y, (-0.50, -0.06), (-1.16, 0.58), (-0.92, -0.03)), 0.06)
    s.add(tail, s.colour(tone=0.82), thickness=0.3)
    fins = union(convex(x, y, (-0.42, -0.42), (-0.20, -0.84), (0.42, -0.52)), convex(x, y, (-0.30, 0.44), (0.22, 0.50), (-0.26, 0.74)))
    s.add(fins, s.colour(tone=0.82), thickness=0.3)
    body = ellipse(x, y, 0.14, 0.0, 0.94, 0.56)
    s.add(body, s.colour(), thickness=0.55)
    for centre, half in ((0.42, 0.085), (-0.22, 0.085)):
        s.decal(np.minimum(half - np.abs(x - centre - 0.16 * (y * y) * 2), body), s.colour(WHITE))
    s.add(circle(x, y, 0.74, -0.14, 0.13), s.colour(WHITE), thickness=0.1)
    s.decal(circle(x, y, 0.77, -0.14, 0.075), s.colour(BLACK))


def draw_duck(s, turn):
    x, y = s.x, s.y
    beak = ellipse(x, y, 0.86, -0.42, 0.27, 0.12)
    s.add(beak, s.colour((0.98, 0.48, 0.05) if s.base[1] < 0.45 or s.base[2] > 0.3 else (0.92, 0.30, 0.05)), thickness=0.12)
    body = ellipse(x, y, -0.08, 0.36, 0.92, 0.52)
    tail = convex(x, y, (-1.04, -0.20), (-0.50, 0.05), (-0.86, 0.42))
    s.add(union(body, tail, 0.14), s.colour(), thickness=0.50)
    head = circle(x, y, 0.38, -0.46, 0.46)
    s.add(head, s.colour(), normal=sphere(s, head, 0.46, 0.38, -0.46))
    s.add(ellipse(x, y, -0.24, 0.30, 0.44, 0.26), s.colour(tone=0.90), thickness=0.26)
    s.decal(circle(x, y, 0.54, -0.56, 0.085), s.colour(BLACK))


def draw_mushroom(s, turn):
    x, y = s.x, s.y
    stem = box(x / (1 + 0.25 * np.clip(y, -0.2, 1)), y, 0, 0.45, 0.30, 0.50, 0.16)
    s.add(stem, s.colour((0.95, 0.90, 0.80)), thickness=0.30)
    s.decal(0.24 - np.abs(y - 0.06), s.colour((0.62, 0.56, 0.50)), strength=0.7)
    cap = np.minimum(ellipse(x, y, 0, 0.12, 1.04, 1.06), union(0.16 - y, ellipse(x, y, 0, 0.12, 1.04, 0.14)))
    s.add(cap, s.colour(), thickness=0.70)
    for cx, cy, rx, ry in ((0.05, -0.62, 0.20, 0.15), (-0.55, -0.22, 0.17, 0.17), (0.58, -0.26, 0.16, 0.17), (0.02, -0.12, 0.17, 0.14)):
        s.decal(ellipse(x, y, cx, cy, rx, ry), s.colour(WHITE))


DRAW = {
    "ball": draw_ball, "cube": draw_cube, "star": draw_star, "heart": draw_heart, "car": draw_car,
    "house": draw_house, "boat": draw_boat, "fish": draw_fish, "duck": draw_duck, "mushroom": draw_mushroom,
}
